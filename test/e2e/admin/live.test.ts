import { LiveFeed } from '../../../src/admin/live/live-feed';
import { ask, expectStatus } from '../../support/access/access-admin';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { givenOperator, heedAccess } from '../../support/credentials';
import { postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';

interface Shown {
  id: string;
  tenantId: string;
  subject: string;
  status: string;
}

describe('GET /v1/admin/live', () => {
  const api = useApp();
  let second: TestApp;
  beforeAll(async () => {
    second = await startTestApp(api.databaseUrl, { APP_ROLE: 'api' });
  });
  afterAll(() => second.close());

  const event = (subject: string, type = 'order.paid') =>
    JSON.stringify({ eventType: type, subject, payload: { n: subject } });

  /** Watches until `leave`, and gathers what comes. */
  async function watch(url: string, query = '', token = ADMIN_TOKEN) {
    const leaving = new AbortController();
    const response = await fetch(`${url}/v1/admin/live?${query}`, {
      headers: { accept: 'text/event-stream', 'x-admin-token': token },
      signal: leaving.signal,
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      ...[200, 'text/event-stream; charset=utf-8'],
    ]);
    const got = { text: '', isOver: false };
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      try {
        for await (const piece of response.body as AsyncIterable<Uint8Array>)
          got.text += decoder.decode(piece, { stream: true });
      } catch {
        // it was left
      }
      got.isOver = true;
    };
    const reading = read();
    await eventually(() => expect(got.text).toContain('event: ready'));
    const dataOf = <T>(name: string): T[] =>
      [...got.text.matchAll(new RegExp(`event: ${name}\\ndata: (.*)\\n\\n`, 'g'))].map(
        ([, data]) => JSON.parse(data ?? '') as T,
      );
    return {
      got,
      dataOf,
      events: () => dataOf<{ events: Shown[] }>('events').flatMap(({ events }) => events),
      statuses: () => dataOf<{ statuses: { id: string; status: string }[] }>('statuses').flatMap((one) => one.statuses),
      leave: async () => {
        leaving.abort();
        await reading;
      },
    };
  }

  it('shows the events of every process as they come, and how their status changes', async () => {
    const before = await postEvent(api.url, 'seen', event('before'));
    const watcher = await watch(api.url);
    const own = await postEvent(api.url, 'seen', event('own'));
    const others = await postEvent(second.url, 'seen', event('others'));
    await eventually(() => expect(watcher.events().map(({ subject }) => subject)).toEqual(['own', 'others']));
    await eventually(() =>
      expect(watcher.statuses()).toEqual(
        expect.arrayContaining([own, others].map(({ body: { id } }) => ({ id, status: 'COMPLETED' }))),
      ),
    );
    expect(watcher.got.text).not.toContain(before.body.id);
    expect(watcher.events()[0]).not.toHaveProperty('payload');
    await watcher.leave();
  });

  it('shows what the filter asks for', async () => {
    const [ofTenant, ofType, ofText] = [
      await watch(api.url, 'tenantId=filtered'),
      await watch(api.url, 'type=invoice.*'),
      await watch(api.url, 'text=NEEDLE'),
    ];
    await postEvent(api.url, 'filtered', event('one'));
    await postEvent(api.url, 'elsewhere', event('two', 'invoice.sent'));
    await postEvent(api.url, 'elsewhere', event('a needle'));
    for (const [watcher, subject] of [
      [ofTenant, 'one'],
      [ofType, 'two'],
      [ofText, 'a needle'],
    ] as const) {
      await eventually(() => expect(watcher.events().map((one) => one.subject)).toEqual([subject]));
    }
    for (const watcher of [ofTenant, ofType, ofText]) await watcher.leave();
  });

  it('shows an operator who is bound to tenants the events of these alone', async () => {
    const { text: token } = await givenOperator(api.pool, { role: 'viewer', tenantIds: ['mine'] });
    heedAccess(api.app);
    const [bound, other] = [await watch(api.url, '', token), await watch(api.url, 'tenantId=theirs', token)];
    await postEvent(api.url, 'theirs', event('theirs'));
    await postEvent(api.url, 'mine', event('mine'));
    await eventually(() => expect(bound.events().map(({ subject }) => subject)).toEqual(['mine']));
    expect([...other.events(), ...other.statuses()]).toEqual([]);
    await bound.leave();
    await other.leave();
  });

  it('heeds at once that an operator is bound to other tenants, and ends the stream of one who is revoked', async () => {
    const { id, text: token } = await givenOperator(api.pool, { role: 'viewer', tenantIds: ['mine'] });
    heedAccess(api.app);
    const watcher = await watch(api.url, '', token);
    await expectStatus(200, ask(api.url, 'PATCH', `operators/${id}`, { body: { tenantIds: ['other'] } }));
    await postEvent(api.url, 'mine', event('of before'));
    await postEvent(api.url, 'other', event('of now'));
    await eventually(() => expect(watcher.events().map(({ subject }) => subject)).toEqual(['of now']));
    await expectStatus(204, ask(api.url, 'DELETE', `operators/${id}`, {}));
    await eventually(() => expect(watcher.got.isOver).toBe(true));
    expect(watcher.dataOf('end')).toMatchObject([{ code: 'admin-token-invalid' }]);
  });

  it('reads nothing while nobody watches', async () => {
    const feed = api.app.get(LiveFeed);
    await eventually(async () => expect(await feed.runOnce()).toBeGreaterThan(60_000));
  });

  it('is refused to clients that would wait for its end, and ends when the process does', async () => {
    const headers = { 'x-admin-token': ADMIN_TOKEN };
    const json = await fetch(`${api.url}/v1/admin/live`, { headers: { ...headers, accept: 'application/json' } });
    expect([json.status, await json.json()]).toMatchObject([406, { code: 'not-acceptable' }]);
    const head = await fetch(`${api.url}/v1/admin/live`, { method: 'HEAD', headers });
    expect(head.status).toBe(200);
    const third = await startTestApp(api.databaseUrl, { APP_ROLE: 'api' });
    const watcher = await watch(third.url);
    await third.close();
    await eventually(() => expect(watcher.got.isOver).toBe(true));
    expect(watcher.dataOf('end')).toMatchObject([{ code: 'overloaded' }]);
  });
});
