import { createHmac, hash } from 'node:crypto';
import * as fs from 'node:fs';
import { Agent } from 'node:http';
import * as path from 'node:path';
import { call } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';
import { eachOf, WEBHOOK_SECRET, type WebhookAnswer } from '../../support/sources/webhooks';

interface Payload {
  action?: string;
  repository?: { full_name: string };
  organization?: { login: string };
  installation?: { account?: { login: string } };
  enterprise?: { slug: string };
  security_advisory?: { ghsa_id: string };
  marketplace_purchase?: { account: { login: string } };
  sponsorship?: { sponsorable: { login: string } };
  sender?: { login: string };
}

interface Example {
  event: string;
  payload: Payload;
  text: string;
  delivery: string;
}

/** All examples of the package, those of GitHub.com and those of each GitHub Enterprise Server. */
function examples(): Example[] {
  const root = path.dirname(require.resolve('@octokit/webhooks-examples/package.json'));
  const servers = fs.readdirSync(root).filter((name) => fs.statSync(path.join(root, name)).isDirectory());
  return servers.flatMap((server) => {
    const file = fs.readFileSync(path.join(root, server, 'index.json'), 'utf8');
    const events = JSON.parse(file) as { name: string; examples: Payload[] }[];
    return events.flatMap(({ name: event, examples: payloads }) =>
      payloads.map((payload, i) => {
        const text = i % 2 ? JSON.stringify(payload, null, 2) : JSON.stringify(payload);
        return { event, payload, text, delivery: `${server} ${event} ${i} ${hash('md5', text)}` };
      }),
    );
  });
}

const subjectOf = (payload: Payload): string | undefined =>
  payload.repository?.full_name ??
  payload.organization?.login ??
  payload.installation?.account?.login ??
  payload.enterprise?.slug ??
  payload.security_advisory?.ghsa_id ??
  payload.marketplace_purchase?.account.login ??
  payload.sponsorship?.sponsorable.login ??
  payload.sender?.login;

describe('every example of a GitHub webhook', () => {
  const running = useApp();
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const all = examples();
  let github: GivenSource;
  let ids: string[];

  beforeAll(async () => {
    github = await givenSource(running.app, running.pool, { provider: 'github', secrets: [WEBHOOK_SECRET] });
  });
  afterAll(() => agent.destroy());

  const send = ({ event, text, delivery }: Example) =>
    call<WebhookAnswer>(`${running.url}${github.path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': event,
        'x-github-delivery': delivery,
        'x-hub-signature-256': `sha256=${createHmac('sha256', WEBHOOK_SECRET).update(text).digest('hex')}`,
      },
      body: text,
      agent,
    });

  it('is accepted', async () => {
    expect(all.length).toBeGreaterThan(700);
    const answers = await eachOf(all, 8, send);
    const refused = answers.flatMap(({ status, text }, i) =>
      status === 200 && text.includes('"status":"accepted"') ? [] : [[all[i]?.delivery, status, text]],
    );
    expect(refused).toEqual([]);
    ids = answers.map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(all.length);
  });

  it('reads back with its type, its subject, and the payload exactly as it was sent', async () => {
    const wrong = await eachOf(all, 8, async ({ event, payload, text, delivery }, i) => {
      const answer = await call<Record<string, unknown>>(`${running.url}/v1/events/${ids[i]}`, {
        headers: { 'x-tenant-id': 'acme' },
        agent,
      });
      const { type, subject, eventId, sourceId } = answer.body;
      const expected = {
        type: typeof payload.action === 'string' ? `${event}.${payload.action}` : event,
        subject: subjectOf(payload),
        eventId: delivery,
        sourceId: github.row.id,
      };
      expect({ type, subject, eventId, sourceId }).toEqual(expected);
      return answer.text.includes(`"payload":${text}`) ? [] : [delivery];
    });
    expect(wrong.flat()).toEqual([]);
  });

  it('is a duplicate when it is sent again', async () => {
    const answers = await eachOf(all, 8, send);
    expect(answers.map(({ status, body }) => [status, body.status, body.id])).toEqual(
      ids.map((id) => [200, 'duplicate', id]),
    );
    const { rows } = await running.pool.query('select count(*)::int as n from events');
    expect(rows).toEqual([{ n: all.length }]);
  });
});
