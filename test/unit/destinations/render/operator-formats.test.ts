import { withRoutingKey } from '../../../../src/destinations/auth/routing-key';
import { bodyOf } from '../../../support/receivers/rendered';

const INCIDENT = '0199a0c1-0000-7000-8000-000000000001';
const raised = {
  state: 'raised',
  severity: 'error',
  summary: 'Destination <erp> & co has failed.',
  since: '2026-01-01T00:00:00.000Z',
  subject: 'd1',
  tenantId: 'acme',
  figures: { failingSeconds: 400, reasonCode: 'HTTP_5XX', statusCode: null },
  link: 'https://ops.example.com/console/destinations/d1?a=1&b=2',
  incident: INCIDENT,
};
const eventWith = (payload: unknown): string =>
  JSON.stringify({ id: 'event-1', tenantId: 'streamforge', type: 'destination.failing', subject: 'd1', payload });
type Options = Parameters<typeof bodyOf>[1];
const made = async (options: Options, payload: unknown): Promise<Record<string, unknown>> => {
  const { body, type } = await bodyOf(eventWith(payload), options);
  expect(type).toBe('application/json');
  return JSON.parse(body) as Record<string, unknown>;
};

describe('the format slack', () => {
  it('is a message with a link, in which no name becomes a mention', async () => {
    expect(await made({ format: 'slack' }, raised)).toEqual({
      text:
        '🔴 Destination &lt;erp&gt; &amp; co has failed.\n' +
        'destination.failing · since 2026-01-01T00:00:00.000Z · error\n' +
        '<https://ops.example.com/console/destinations/d1?a=1&amp;b=2|Open the console>',
      unfurl_links: false,
    });
  });

  it('says that it is over', async () => {
    const { text } = await made(
      { format: 'slack' },
      { ...raised, state: 'cleared', severity: 'info', link: '/console' },
    );
    expect(text).toBe(
      '🟢 Destination &lt;erp&gt; &amp; co has failed.\ndestination.failing · since 2026-01-01T00:00:00.000Z · cleared',
    );
  });

  it.each([
    [{ message: 'This is a test delivery.' }, 'ℹ️ This is a test delivery.\ndestination.failing · info'],
    [null, 'ℹ️ destination.failing: d1\ndestination.failing · info'],
    ['a text', 'ℹ️ a text\ndestination.failing · info'],
  ])('tells %j', async (payload, text) => {
    expect(await made({ format: 'slack' }, payload)).toMatchObject({ text });
  });

  it('tells what a transform makes', async () => {
    expect(await made({ format: 'slack', transform: '/payload/figures/reasonCode' }, raised)).toMatchObject({
      text: 'ℹ️ HTTP_5XX\ndestination.failing · info',
    });
  });
});

describe('the format teams', () => {
  it('is a message with one adaptive card', async () => {
    expect(await made({ format: 'teams' }, raised)).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            body: [
              { type: 'TextBlock', text: '🔴 Destination <erp> & co has failed.', wrap: true },
              {
                type: 'FactSet',
                facts: [
                  { title: 'Event', value: 'destination.failing' },
                  { title: 'Since', value: '2026-01-01T00:00:00.000Z' },
                  { title: 'State', value: 'error' },
                  { title: 'failingSeconds', value: '400' },
                  { title: 'reasonCode', value: 'HTTP_5XX' },
                  { title: 'statusCode', value: '–' },
                ],
              },
            ],
            actions: [{ type: 'Action.OpenUrl', url: raised.link }],
          },
        },
      ],
    });
  });
});

describe('names in the format teams', () => {
  interface Card {
    attachments: [{ content: { body: [{ text: string }, { facts: object[] }] } }];
  }

  it.each([
    ['[free](https://evil.example) **x**', '\\[free\\](https://evil.example) \\*\\*x\\*\\*'],
    ['_x_ of HTTP_5XX `a` ~b~ \\', '\\_x\\_ of HTTP_5XX \\`a\\` \\~b\\~ \\\\'],
    ['- one\n- two', '\\- one - two'],
    ['1. one', '1\\. one'],
  ])('are no Markdown: %j', async (name, shown) => {
    const card: unknown = await made({ format: 'teams' }, { ...raised, summary: name, figures: { name } });
    const [{ text }, { facts }] = (card as Card).attachments[0].content.body;
    expect(text).toBe(`🔴 ${shown}`);
    expect(facts.at(-1)).toEqual({ title: 'name', value: shown });
  });
});

describe('the format pagerduty', () => {
  it('triggers an alert', async () => {
    expect(await made({ format: 'pagerduty' }, raised)).toEqual({
      event_action: 'trigger',
      dedup_key: INCIDENT,
      payload: {
        summary: raised.summary,
        source: 'streamforge',
        severity: 'error',
        timestamp: raised.since,
        component: 'd1',
        group: 'acme',
        class: 'destination.failing',
        custom_details: raised.figures,
      },
      client: 'StreamForge',
      client_url: raised.link,
      links: [{ href: raised.link, text: 'Open the console' }],
    });
  });

  it('resolves the same alert', async () => {
    expect(await made({ format: 'pagerduty' }, { ...raised, state: 'cleared', severity: 'info' })).toMatchObject({
      event_action: 'resolve',
      dedup_key: INCIDENT,
    });
  });

  it('has no severity that PagerDuty does not know, and no longer summary than it takes', async () => {
    const { payload } = await made({ format: 'pagerduty' }, { severity: 'dire', summary: 'x'.repeat(3_000) });
    expect(payload).toMatchObject({ severity: 'info', summary: 'x'.repeat(1_024) });
  });

  it.each([
    ['x'.repeat(1_023) + '🔴', 'x'.repeat(1_023)],
    ['x'.repeat(1_022) + '🔴', 'x'.repeat(1_022) + '🔴'],
  ])('cuts no character in two', async (summary, sent) => {
    expect(await made({ format: 'pagerduty' }, { summary })).toMatchObject({ payload: { summary: sent } });
  });
});

describe('the routing key', () => {
  const sent = (format: 'pagerduty' | 'slack', headers: Record<string, string>): string =>
    withRoutingKey(format, headers, Buffer.from('{"a":1}')).toString();

  it('comes into the body for PagerDuty, and into no other', () => {
    expect(sent('pagerduty', { 'x-routing-key': 'k"1' })).toBe('{"routing_key":"k\\"1","a":1}');
    expect(sent('pagerduty', { authorization: 'x' })).toBe('{"a":1}');
    expect(sent('slack', { 'x-routing-key': 'k' })).toBe('{"a":1}');
  });
});
