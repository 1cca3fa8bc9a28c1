import type { OutgoingHttpHeaders } from 'node:http';
import type { Event } from '../../../src/event/event';
import { admin, givenCompleted, givenDeadLetters, type ReplayStarted } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { givenOperator } from '../../support/credentials';
import { call, expectProblem, type EventAnswer } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { givenDestination } from '../../support/receivers/destinations';
import { countRows, givenAttempt, givenEvents, givenState } from '../../support/rows';

const BLUE = 'blue';
const GREEN = 'green';
const RED = 'red';
const NOBODY = '01a20bbe-19c8-7764-af38-5def3fbd1764';
const CORRELATION = 'scopes-of-operators';

type Listed = { id: string; tenantId: string } & Record<string, unknown>;

type Page = Record<string, Listed[]> & { nextCursor: string | null };

/** The lists whose items name their tenant, with every kind of search. */
const LISTS: [path: string, name: string][] = [
  ['events', 'events'],
  ['events?attempts=true', 'events'],
  ['events?status=COMPLETED', 'events'],
  ['events?status=DLQ', 'events'],
  ['events?status=RETRYING', 'events'],
  ['events?status=DISCARDED', 'events'],
  ['events?type=order.*', 'events'],
  [`events?correlationId=${CORRELATION}`, 'events'],
  ['events?reasonCode=HTTP_5XX', 'events'],
  ['dlq', 'deadLetters'],
  ['dlq?reasonCode=HTTP_5XX', 'deadLetters'],
  ['destinations', 'destinations'],
  ['usage', 'usage'],
];

describe('an operator who is bound to tenants', () => {
  const api = useApp({ APP_ROLE: 'api', DESTINATIONS_ALLOW_PRIVATE: 'true' });
  let ofOne: string;
  let ofTwo: string;
  let ofNone: string;
  let viewer: string;
  const completed = new Map<string, Event>();
  const dead = new Map<string, Event>();

  beforeAll(async () => {
    // Alternating, so that the events of one tenant lie between those of the others.
    for (let round = 0; round < 3; round++) for (const tenantId of [BLUE, RED, GREEN]) await givenEverything(tenantId);
    ofOne = (await givenOperator(api.pool, { role: 'operator', tenantIds: [BLUE] })).text;
    ofTwo = (await givenOperator(api.pool, { role: 'operator', tenantIds: [BLUE, GREEN] })).text;
    ofNone = (await givenOperator(api.pool, { role: 'operator', tenantIds: [] })).text;
    viewer = (await givenOperator(api.pool, { role: 'viewer', tenantIds: [BLUE] })).text;
  });

  async function givenEverything(tenantId: string): Promise<void> {
    completed.set(tenantId, (await givenCompleted(api.pool, 1, tenantId))[0] as Event);
    dead.set(tenantId, (await givenDeadLetters(api.pool, 1, { tenantId }))[0] as Event);
    await givenDeadLetters(api.pool, 1, { tenantId, reasonCode: 'TIMEOUT', message: () => `${tenantId} is late` });
    for (const status of ['RETRYING', 'DISCARDED'] as const) {
      const [event] = (await givenEvents(api.pool, 1, { correlationId: CORRELATION }, tenantId)) as [Event];
      await givenAttempt(api.pool, event, { status: 'RETRY', reasonCode: 'HTTP_5XX' });
      await givenState(api.pool, event, { status });
    }
    await givenDestination(api.url, { tenantId, url: 'http://127.0.0.1:9/' });
    await api.pool.query(
      `insert into usage_daily (tenant_id, day, type, events, bytes)
       values ($1, current_date - (select count(*)::integer from usage_daily where tenant_id = $1), 'order.paid', 1, 1)`,
      [tenantId],
    );
  }

  const as = (token: string, further: OutgoingHttpHeaders = {}) => ({ 'x-admin-token': token, ...further });
  const read = <T>(path: string, token: string) => admin<T>(api.url, path, undefined, as(token));
  const act = <T>(path: string, body: object, token: string) => admin<T>(api.url, path, body, as(token));

  async function pageOf(path: string, token: string, cursor: string | null): Promise<Page> {
    const query = `${path.includes('?') ? '&' : '?'}limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
    const { status, body, text } = await read<Page>(path + query, token);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
    return body;
  }

  async function allOf(path: string, name: string, token: string): Promise<Listed[]> {
    const items: Listed[] = [];
    let page: Page | undefined;
    do {
      page = await pageOf(path, token, page?.nextCursor ?? null);
      items.push(...(page[name] as Listed[]));
    } while (page.nextCursor !== null);
    return items;
  }

  it.each(LISTS)('%s has what the answer to others has of the tenants', async (path, name) => {
    const everything = await allOf(path, name, ADMIN_TOKEN);
    const of = (tenants: string[]) => everything.filter(({ tenantId }) => tenants.includes(tenantId));
    expect(of([RED]).length).toBeGreaterThan(0);
    expect(await allOf(path, name, ofOne)).toEqual(of([BLUE]));
    expect(await allOf(path, name, ofTwo)).toEqual(of([BLUE, GREEN]));
    expect(await allOf(path, name, ofNone)).toEqual([]);
    const and = path.includes('?') ? '&' : '?';
    expect(await allOf(`${path}${and}tenantId=${GREEN}`, name, ofTwo)).toEqual(of([GREEN]));
    for (const tenantId of [RED, 'no-such-tenant']) {
      expect(await allOf(`${path}${and}tenantId=${tenantId}`, name, ofTwo)).toEqual([]);
    }
  });

  it('finds events by id in its tenants only, and by eventId if it has one tenant', async () => {
    const ids = [BLUE, GREEN, RED].map((tenantId) => (completed.get(tenantId) as Event).id);
    const query = ids.map((id) => `eventIds=${id}`).join('&');
    expect((await allOf(`events?${query}`, 'events', ofTwo)).map(({ id }) => id)).toEqual([ids[1], ids[0]]);
    for (const tenantId of [BLUE, GREEN, RED]) await givenEvents(api.pool, 1, { eventId: 'same-id' }, tenantId);
    const named = async (token: string) =>
      (await allOf('events?eventIds=same-id', 'events', token)).map(({ tenantId }) => tenantId);
    expect(await named(ofOne)).toEqual([BLUE]);
    expect(await named(ofTwo)).toEqual([]);
    expect(await named(ADMIN_TOKEN)).toEqual([]);
  });

  it('counts the dead letters of its tenants', async () => {
    interface Reasons {
      reasons: { errorMessage: string; count: number }[];
      total: number;
    }
    const reasons = async (token: string, query = '') => (await read<Reasons>(`dlq/reasons${query}`, token)).body;
    expect(await reasons(ofOne)).toEqual(await reasons(ADMIN_TOKEN, `?tenantId=${BLUE}`));
    const two = await reasons(ofTwo);
    expect(two.total).toBe(12);
    expect(two.reasons.map(({ errorMessage, count }) => `${count} ${errorMessage}`)).toEqual([
      '6 it broke',
      '3 blue is late',
      '3 green is late',
    ]);
    expect(await reasons(ofTwo, `?tenantId=${RED}`)).toEqual({ reasons: [], total: 0, capped: false });
  });

  describe.each(['dlq/retry', 'dlq/discard', 'replay'])('%s', (path) => {
    const mode = path === 'replay' ? { mode: 'reprocess' } : {};
    const matched = async (body: object, token: string) => {
      const answer = await act<{ matched: number }>(path, { ...mode, ...body, dryRun: true }, token);
      return answer.status === 202 ? answer.body.matched : answer.text;
    };

    it('takes `all` for all of its tenants', async () => {
      const ofEach = await Promise.all([BLUE, GREEN].map((tenantId) => matched({ tenantId }, ADMIN_TOKEN)));
      expect(Number(ofEach[0])).toBeGreaterThan(0);
      expect(await matched({ all: true }, ofTwo)).toBe(Number(ofEach[0]) + Number(ofEach[1]));
      expect(await matched({ all: true }, ofOne)).toBe(ofEach[0]);
      expect(await matched({ all: true }, ofNone)).toBe(0);
    });

    it('matches nothing of another tenant, named or not', async () => {
      expect(await matched({ tenantId: RED }, ofTwo)).toBe(0);
      const eventIds = [dead.get(RED)?.id as string];
      expect(await matched({ tenantId: RED, eventIds }, ofTwo)).toBe(0);
      expect(await matched({ tenantId: BLUE, eventIds }, ofTwo)).toBe(0);
      if (path !== 'replay') expect(await matched({ eventIds }, ofTwo)).toBe(0);
    });
  });

  it('changes nothing of another tenant', async () => {
    const before = await countRows(
      api.pool,
      `event_state s join events e on e.id = s.event_id where tenant_id = '${RED}' and status = 'DLQ'`,
    );
    const { body } = await act<{ matched: number; actionId: string }>('dlq/discard', { tenantId: RED }, ofTwo);
    expect(body.matched).toBe(0);
    expect((await read(`actions/${body.actionId}`, ofTwo)).status).toBe(200);
    await act('dlq/discard', { all: true }, ofTwo);
    const open = `dead_letters where resolved_at is null and tenant_id`;
    expect(await countRows(api.pool, `${open} <> '${RED}'`)).toBe(0);
    expect(await countRows(api.pool, `${open} = '${RED}'`)).toBe(before);
  });

  describe('a replay or an action', () => {
    const start = async (order: object, token: string) =>
      (await act<ReplayStarted>('replay', { mode: 'republish', ...order }, token)).body.replayId;

    it('is listed, shown and cancelled if it was limited to its tenants', async () => {
      const ofBlue = await start({ tenantId: BLUE }, ADMIN_TOKEN);
      const ofRed = await start({ tenantId: RED }, ADMIN_TOKEN);
      const ofBoth = await start({ all: true }, ofTwo);
      const ofAll = await start({ all: true }, ADMIN_TOKEN);
      const listed = async (token: string) =>
        (await read<{ replays: { replayId: string }[] }>('replays', token)).body.replays.map(
          ({ replayId }) => replayId,
        );
      expect(await listed(ADMIN_TOKEN)).toEqual([ofAll, ofBoth, ofRed, ofBlue]);
      expect(await listed(ofOne)).toEqual([ofBlue]);
      expect(await listed(ofTwo)).toEqual([ofBoth, ofBlue]);
      expect(await listed(ofNone)).toEqual([]);
      for (const id of [ofRed, ofAll, ofBoth]) await expectHidden(id, ofOne);
      for (const path of [`replays/${ofBlue}`, `actions/${ofBlue}`]) {
        expect((await read(path, ofOne)).status).toBe(200);
        expect((await act(`${path}/cancel`, {}, ofOne)).status).toBe(202);
      }
    });

    async function expectHidden(id: string, token: string): Promise<void> {
      for (const what of ['replays', 'actions']) {
        const texts = [id, NOBODY].map(async (one) => {
          const headers = as(token, { 'x-correlation-id': 'c' });
          const [shown, cancelled] = [
            await admin(api.url, `${what}/${one}`, undefined, headers),
            await admin(api.url, `${what}/${one}/cancel`, {}, headers),
          ];
          expect([shown.status, cancelled.status]).toEqual([404, 404]);
          return [shown.text, cancelled.text];
        });
        const [hidden, unknown] = await Promise.all(texts);
        expect(hidden).toEqual(unknown);
      }
    }

    it('is cancelled by those who may start it', async () => {
      const support = (await givenOperator(api.pool, { role: 'support', tenantIds: [BLUE] })).text;
      const replay = await start({ tenantId: BLUE }, ADMIN_TOKEN);
      const retry = (await act<{ actionId: string }>('dlq/retry', { tenantId: BLUE }, ADMIN_TOKEN)).body.actionId;
      await new Promise((resolve) => setTimeout(resolve, 600)); // until the new operator is known
      expectProblem(await act(`actions/${replay}/cancel`, {}, support), 403, 'role-insufficient');
      expect((await act(`actions/${retry}/cancel`, {}, support)).status).toBe(202);
      expectProblem(await act(`actions/${NOBODY}/cancel`, {}, support), 404, 'action-not-found');
    });
  });

  it('gets 404 for a destination of another tenant, as for one that does not exist', async () => {
    const [own, others] = await Promise.all(
      [BLUE, RED].map((tenantId) => givenDestination(api.url, { tenantId, url: 'http://127.0.0.1:9/' })),
    );
    const json = { 'content-type': 'application/json' };
    const requests: [method: string, path: string, body?: string][] = [
      ['GET', ''],
      ['PATCH', '', '{"enabled":false}'],
      ['PATCH', '', '{"url":"ftp://nowhere"}'],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
    ];
    for (const [method, path, body] of requests) {
      const answers = [others?.id, NOBODY].map((id) =>
        call(`${api.url}/v1/admin/destinations/${id}${path}`, {
          method,
          headers: as(ofTwo, { 'x-correlation-id': 'c', ...(body === undefined ? {} : json) }),
          body,
        }),
      );
      const [hidden, unknown] = await Promise.all(answers);
      expect(hidden?.text).toBe(unknown?.text);
      expect([method, path, hidden?.status]).toEqual([method, path, 404]);
    }
    expect((await read(`destinations/${own?.id}`, ofTwo)).status).toBe(200);
    expect((await read(`destinations/${others?.id}`, ADMIN_TOKEN)).body).toMatchObject({ enabled: true });
  });

  it('creates destinations for its tenants only', async () => {
    const create = (tenantId: string) => act('destinations', { tenantId, url: 'http://127.0.0.1:9/' }, ofTwo);
    expect((await create(GREEN)).status).toBe(201);
    for (const tenantId of [RED, 'no-such-tenant']) expectProblem(await create(tenantId), 404, 'tenant-not-found');
  });

  it('may not read or change the outbox, which belongs to all tenants', async () => {
    for (const token of [ofOne, ofNone]) {
      expectProblem(await read('outbox', token), 403, 'role-insufficient');
      expectProblem(await act('outbox/retry', {}, token), 403, 'role-insufficient');
    }
  });

  describe('GET /v1/events/{id}', () => {
    const get = (id: string, token: string, further: OutgoingHttpHeaders = {}) =>
      call<EventAnswer>(`${api.url}/v1/events/${id}`, { headers: as(token, { 'x-correlation-id': 'c', ...further }) });

    it('returns events of its tenants, and 404 for those of others', async () => {
      const id = (tenantId: string) => (completed.get(tenantId) as Event).id;
      for (const token of [ofOne, ofTwo]) expect((await get(id(BLUE), token)).body).toMatchObject({ tenantId: BLUE });
      const unknown = await get(NOBODY, ofTwo);
      for (const [token, further] of [
        [ofOne, {}],
        [ofTwo, {}],
        [ofNone, {}],
        [ofTwo, { 'x-tenant-id': RED }],
        [ofTwo, { 'x-tenant-id': BLUE }],
      ] as const) {
        const hidden = await get(id(RED), token, further);
        expect([hidden.status, hidden.text]).toEqual([404, unknown.text]);
      }
      expect((await get(id(GREEN), ofTwo, { 'x-tenant-id': BLUE })).status).toBe(404);
      expect((await get(id(GREEN), ofTwo, { 'x-tenant-id': GREEN })).status).toBe(200);
    });

    it('searches an eventId in its tenants, and names no other tenant', async () => {
      for (const tenantId of [BLUE, GREEN, RED]) await givenEvents(api.pool, 1, { eventId: 'order-7' }, tenantId);
      await givenEvents(api.pool, 1, { eventId: 'of-red' }, RED);
      expect((await get('order-7', ofOne)).body).toMatchObject({ tenantId: BLUE, eventId: 'order-7' });
      const ambiguous = await get('order-7', ofTwo);
      expect(expectProblem(ambiguous, 409, 'event-id-ambiguous')).toMatchObject({ tenants: [BLUE, GREEN] });
      for (const token of [ofOne, ofTwo, ofNone]) expectProblem(await get('of-red', token), 404, 'event-not-found');
      expect((await get('order-7', ofTwo, { 'x-tenant-id': GREEN })).body).toMatchObject({ tenantId: GREEN });
    });

    it('hides the payload from a viewer', async () => {
      const { id, payloadJson } = completed.get(BLUE) as Event;
      const hidden = await get(id, viewer);
      expect(hidden.text).not.toContain(payloadJson);
      const { payload, ...rest } = (await get(id, ofOne)).body;
      expect(JSON.stringify(payload)).toBe(payloadJson);
      expect(hidden.body).toEqual({ ...rest, payloadHidden: true });
    });
  });
});
