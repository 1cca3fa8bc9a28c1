import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { ActingOperator } from '../../../src/access/acting-operator';
import { listReasons } from '../../../src/admin/dead-letters/dead-letter-reasons.queries';
import { criteriaOf } from '../../../src/admin/events/event-criteria';
import type { EventFilter } from '../../../src/admin/events/event-filter';
import { findEvents, pageStatement } from '../../../src/admin/events/event-search.queries';
import { EVENT_STATUSES } from '../../../src/event/event-status';
import { inTransaction } from '../../../src/db/pool';
import type { Event } from '../../../src/event/event';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenCompleted, givenDeadLetters } from '../../support/admin';
import { givenDelivery } from '../../support/deliveries';
import { givenAttempt, givenEvents, givenState } from '../../support/rows';

const FILL = readFileSync(path.resolve(__dirname, '../../../bench/admin-events.sql'), 'utf8');
const EVENTS = 12_000;
const LARGE_PARTITION_ROWS = 1_000;
const EVERY_TENANT = { tenantIds: null };

/** What many deliveries that wait leave in the queue, of events that are older than all others. */
const LARGE_QUEUE = `
  insert into delivery_queue (event_id, destination_id, generation, due_at)
  select ('00000000-0000-7000-8000-' || lpad(g::text, 12, '0'))::uuid, gen_random_uuid(), 1, now()
    from generate_series(1, 5000) g`;

/** An id of a destination that the deliveries of `fill` have. */
const destination = (n: number): string => `00000000-0000-7000-8000-00000000000${n}`;
/** The beginning of a condition in SQL. */
const HAS_DELIVERY = 'exists (select from deliveries d where d.event_id = e.id';

describe(`the search over ${EVENTS} events in all states`, () => {
  let database: TestDatabase;
  /** A small partition is rightly read as a whole, such as the first week of the seven days on a Sunday evening. */
  let large: ReadonlySet<string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    await inTransaction(database.pool, async (db) => {
      await db.query(FILL);
      await db.query('select pg_temp.fill($1)', [EVENTS]);
      await db.query(LARGE_QUEUE);
    });
    await database.pool.query('vacuum analyze');
    large = await tablesToSearch(LARGE_PARTITION_ROWS);
  });
  afterAll(() => database.drop());

  const allOf = async (
    filter: EventFilter,
    limit: number,
    meanwhile?: () => Promise<unknown>,
    acting: Pick<ActingOperator, 'tenantIds'> = EVERY_TENANT,
  ): Promise<string[]> => {
    const ids: string[] = [];
    let below: string | undefined;
    do {
      const page = await findEvents(database.pool, criteriaOf(filter, acting, below), limit);
      ids.push(...page.events.map(({ id }) => id));
      below = page.lookedDownTo ?? undefined;
      await meanwhile?.();
    } while (below !== undefined);
    return ids;
  };
  const expected = async (where: string): Promise<string[]> => {
    const { rows } = await database.pool.query<{ id: string }>(
      `select e.id from events e join event_status v on v.event_id = e.id where ${where} order by e.id desc`,
    );
    return rows.map(({ id }) => id);
  };

  const tablesToSearch = async (rows: number): Promise<ReadonlySet<string>> => {
    const found = await database.pool.query<{ name: string }>(
      `select relname as name from pg_class
        where relname = 'event_state'
           or relname ~ '^(dead_letters|delivery_queue|events|processing_attempts|outbox|deliveries)(_[yd]2|$)' and relkind = 'r' and reltuples >= $1`,
      [rows],
    );
    return new Set(found.rows.map(({ name }) => name));
  };

  /** Returns the lines of the plan that read a large table or partition as a whole. */
  const scansOf = async (filter: EventFilter, acting: Pick<ActingOperator, 'tenantIds'>): Promise<string[]> => {
    const { text, values } = pageStatement(criteriaOf(filter, acting), 50);
    const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index (Only )?Scan/);
    return plan.split('\n').filter((line) => large.has(/Seq Scan on (\S+)/.exec(line)?.[1] ?? ''));
  };

  it.each(EVENT_STATUSES)(
    'returns the %s events in pages without gaps or repeats, in agreement with the status of each event',
    async (status) => {
      const there = await expected(`v.status = '${status}'`);
      expect(there.length).toBeGreaterThan(0);
      expect(await allOf({ status }, 97)).toEqual(there);
    },
  );

  it('returns pages without gaps or repeats while new events arrive', async () => {
    const there = await expected(`e.tenant_id like 'tenant-%'`);
    const seen = await allOf({}, 500, () => givenEvents(database.pool, 5, {}, 'late'));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => there.includes(id))).toEqual(there);
    const late = await expected(`e.tenant_id = 'late'`);
    expect(late.length).toBeGreaterThan(100);
    expect(seen.filter((id) => late.includes(id))).toEqual([]); // newer than the first page
  });

  it.each<[string, EventFilter, string]>([
    [
      'tenant and type',
      { tenantId: 'tenant-3', type: 'order.type2' },
      `e.tenant_id = 'tenant-3' and e.type = 'order.type2'`,
    ],
    ['subject', { subject: 'order-77' }, `e.subject = 'order-77'`],
    ['reason, of dead letters', { reasonCode: 'REASON_1' }, `v.status = 'DLQ' and e.outbox_id % 5 = 1`],
    [
      'reason and status',
      { status: 'RETRYING', reasonCode: 'REASON_2' },
      `v.status = 'RETRYING' and e.outbox_id % 5 = 2`,
    ],
    [
      'status and tenant',
      { status: 'DISCARDED', tenantId: 'tenant-3' },
      `v.status = 'DISCARDED' and e.tenant_id = 'tenant-3'`,
    ],
    ['destination', { destinationId: destination(1) }, `${HAS_DELIVERY} and d.destination_id = '${destination(1)}')`],
    [
      'destination and reason, of dead letters',
      { destinationId: destination(0), reasonCode: 'REASON_3' },
      `v.status = 'DLQ' and ${HAS_DELIVERY} and d.destination_id = '${destination(0)}' and d.last_reason_code = 'REASON_3')`,
    ],
    ['status class', { statusClass: '2xx' }, `${HAS_DELIVERY} and d.last_status_code = 204)`],
    [
      'status and status class',
      { status: 'RETRYING', statusClass: '5xx', tenantId: 'tenant-17' },
      `v.status = 'RETRYING' and e.tenant_id = 'tenant-17' and ${HAS_DELIVERY} and d.last_status_code = 502)`,
    ],
    [
      'status, of deliveries, and destination',
      { status: 'DELIVERING', destinationId: destination(2) },
      `v.status = 'DELIVERING' and ${HAS_DELIVERY} and d.destination_id = '${destination(2)}')`,
    ],
    ['status and type', { status: 'DLQ', type: 'order.type1' }, `v.status = 'DLQ' and e.type = 'order.type1'`],
  ])('filters by %s', async (_what, filter, where) => {
    const there = await expected(where);
    expect(there.length).toBeGreaterThan(0);
    expect(await allOf(filter, 50)).toEqual(there);
  });

  it('filters by ids, by eventIds of a tenant and by time of receipt', async () => {
    const { rows } = await database.pool.query<{ id: string; received: string; tenant: string }>(
      `select id, received_at as received, tenant_id as tenant from events where outbox_id in (1000, 2000) order by id`,
    );
    const [older, newer] = rows as [(typeof rows)[0], (typeof rows)[0]];
    expect(await allOf({ eventIds: [older.id, 'no such', newer.id] }, 50)).toEqual([newer.id, older.id]);
    expect(await allOf({ eventIds: [older.id], tenantId: 'other' }, 50)).toEqual([]);
    const between = await allOf({ from: older.received, to: newer.received }, 500);
    expect(between).toHaveLength(1000);
    expect(between.at(-1)).toBe(older.id);
  });

  it.each<[string, EventFilter, string]>([
    ['a prefix of the type', { type: 'order.*' }, `e.type like 'order.%'`],
    [
      'a prefix of the type and a tenant',
      { type: 'order.type1*', tenantId: 'tenant-3' },
      `e.type like 'order.type1%' and e.tenant_id = 'tenant-3'`,
    ],
    [
      'a prefix of the type, of dead letters',
      { type: 'order.*', status: 'DLQ' },
      `e.type like 'order.%' and v.status = 'DLQ'`,
    ],
    ['any type', { type: '*', tenantId: 'tenant-3' }, `e.tenant_id = 'tenant-3'`],
  ])('filters by %s', async (_what, filter, where) => {
    const there = await expected(where);
    expect(there.length).toBeGreaterThan(0);
    expect(await allOf(filter, 300)).toEqual(there);
  });

  it('takes a star that is not at the end as a character', async () => {
    const [starred] = await givenEvents(database.pool, 1, { eventType: 'a*b.c' }, 'starred');
    await givenEvents(database.pool, 1, { eventType: 'a_%b.c' }, 'starred');
    expect(await allOf({ type: 'a*b.c' }, 50)).toEqual([starred?.id]);
    expect(await allOf({ type: 'a*b.*' }, 50)).toEqual([starred?.id]);
    expect(await allOf({ type: 'a*c', tenantId: 'starred' }, 50)).toEqual([]);
  });

  it('filters by partition key and by source, in every state', async () => {
    const fields = { partitionKey: 'key-9', source: 'pos-9' };
    const tenantId = 'keyed';
    const [one] = await givenEvents(database.pool, 1, fields, tenantId);
    await givenEvents(database.pool, 1, { ...fields, source: 'pos-8' }, tenantId);
    await givenEvents(database.pool, 1, { ...fields, partitionKey: 'key-8' }, tenantId);
    expect(await allOf({ ...fields }, 50)).toEqual([one?.id]);
    expect(await allOf({ ...fields, tenantId, status: 'RECEIVED' }, 50)).toEqual([one?.id]);
    expect(await allOf({ ...fields, status: 'DLQ' }, 50)).toEqual([]);
  });

  describe('an entry of eventIds', () => {
    const tenantId = 'named';
    let first: Event;
    let second: Event;
    beforeAll(async () => {
      [first] = (await givenEvents(database.pool, 1, {}, tenantId)) as [Event];
      // A chain of two gateways: the second stores the id of the first as the producer's eventId.
      [second] = (await givenEvents(database.pool, 1, { eventId: first.id }, tenantId)) as [Event];
    });

    it('names the event with this id and not another that has it as its eventId', async () => {
      expect(await allOf({ tenantId, eventIds: [first.id] }, 50)).toEqual([first.id]);
      expect(await allOf({ eventIds: [first.id] }, 50)).toEqual([first.id]);
      expect(await allOf({ tenantId, eventIds: [first.id, second.id] }, 50)).toEqual([second.id, first.id]);
    });

    it('names the newest of several events with the same eventId', async () => {
      const twins = [...(await givenEvents(database.pool, 1, { eventId: 'twin', source: 'old' }, tenantId))];
      await database.pool.query('delete from idempotency_keys'); // as when they are pruned
      twins.push(...(await givenEvents(database.pool, 1, { eventId: 'twin', source: 'new' }, tenantId)));
      expect(await allOf({ tenantId, eventIds: ['twin'] }, 50)).toEqual([twins[1]?.id]);
      expect(await allOf({ tenantId, eventIds: ['twin'], source: 'old' }, 50)).toEqual([twins[0]?.id]);
    });

    it('is an eventId only within the tenant of the filter', async () => {
      const [own] = (await givenEvents(database.pool, 1, { eventId: 'mine' }, tenantId)) as [Event];
      expect(await allOf({ eventIds: ['mine'] }, 50)).toEqual([]);
      expect(await allOf({ tenantId: 'other', eventIds: ['mine', own.id] }, 50)).toEqual([]);
      expect(await allOf({ tenantId, eventIds: ['mine', 'MINE'] }, 50)).toEqual([own.id]);
    });

    it('names an event of another tenant as GET does: with a tenant, an id of another tenant is an eventId', async () => {
      const [foreign] = (await givenEvents(database.pool, 1, { eventId: first.id }, 'elsewhere')) as [Event];
      expect(await allOf({ tenantId: 'elsewhere', eventIds: [first.id] }, 50)).toEqual([foreign.id]);
    });

    it('may be in upper case when it is an id', async () => {
      expect(await allOf({ eventIds: [first.id.toUpperCase()] }, 50)).toEqual([first.id]);
      expect(await allOf({ tenantId, eventIds: [first.id.toUpperCase(), first.id] }, 50)).toEqual([first.id]);
    });
  });

  it('filters by correlation id, alone and combined with other filters', async () => {
    const given = { correlationId: 'one-request' };
    const [first, ...others] = (await givenEvents(database.pool, 120, given, 'correlated')).map(({ id }) => id);
    expect(await allOf(given, 50)).toEqual([first, ...others].toReversed());
    expect(await allOf({ ...given, status: 'RECEIVED', tenantId: 'correlated' }, 50)).toHaveLength(120);
    expect(await allOf({ ...given, status: 'COMPLETED' }, 50)).toEqual([]);
    expect(await allOf({ ...given, eventIds: [first as string] }, 50)).toEqual([first]);
    expect(await allOf({ correlationId: 'another' }, 50)).toEqual([]);
  });

  it.each<[string, EventFilter]>([
    ['nothing', {}],
    ['a tenant', { tenantId: 'tenant-3' }],
    ['a type', { type: 'rare.type' }],
    ['a subject', { tenantId: 'tenant-3', subject: 'order-77' }],
    ['ids', { eventIds: ['01a20bbe-19c8-7764-af38-5def3fbd1764'], tenantId: 'tenant-1' }],
    ...EVENT_STATUSES.map((status): [string, EventFilter] => [status, { status }]),
    ...EVENT_STATUSES.map((status): [string, EventFilter] => [
      `${status} of a tenant`,
      { status, tenantId: 'tenant-3' },
    ]),
    ['a reason', { reasonCode: 'REASON_1' }],
    ['a destination', { destinationId: destination(1) }],
    ['a class of HTTP status, of dead letters', { status: 'DLQ', statusClass: '5xx' }],
  ])('reads events, attempts and states only by an index when filtered by %s', async (_what, filter) => {
    expect(await scansOf(filter, EVERY_TENANT)).toEqual([]);
  });

  it.each<[string, EventFilter]>([
    ['alone', {}],
    ['of a tenant', { tenantId: 'tenant-3' }],
    ['with a status', { status: 'COMPLETED' }],
  ])('uses the index of correlation ids when filtered by one, %s', async (_what, further) => {
    const { text, values } = pageStatement(criteriaOf({ correlationId: 'one-request', ...further }, EVERY_TENANT), 50);
    const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index Cond: \(\(?correlation_id = 'one-request'/);
  });

  describe('for an operator who is bound to several tenants', () => {
    const bound = { tenantIds: ['tenant-3', 'tenant-5', 'no-such-tenant'] };
    const OF_THEM = `e.tenant_id in ('tenant-3', 'tenant-5')`;

    it.each<[EventFilter, string]>([
      [{}, 'true'],
      [{ type: 'order.*' }, `e.type like 'order.%'`],
      [{ subject: 'order-77' }, `e.subject = 'order-77'`],
      [{ reasonCode: 'REASON_1' }, `v.status = 'DLQ' and e.outbox_id % 5 = 1`],
      ...EVENT_STATUSES.map((status): [EventFilter, string] => [{ status }, `v.status = '${status}'`]),
    ])('returns what %j matches among their events', async (filter, where) => {
      expect(await allOf(filter, 7, undefined, bound)).toEqual(await expected(`${where} and ${OF_THEM}`));
    });

    it.each<[EventFilter]>([
      [{}],
      [{ type: 'rare.type' }],
      ...EVENT_STATUSES.map((status): [EventFilter] => [{ status }]),
    ])('reads events, attempts and states only by an index when filtered by %j', async (filter) => {
      const tenantIds = Array.from({ length: 1_000 }, (_, n) => `tenant-${n}`);
      expect(await scansOf(filter, { tenantIds })).toEqual([]);
    });
  });

  it.each<[EventFilter]>([[{ status: 'RETRYING' }], [{ correlationId: 'crowd' }], [{}], [{ status: 'RECEIVED' }]])(
    'gives a bound operator no cursor that depends on the events of others, when filtered by %j',
    async (filter) => {
      const tenantIds = ['quiet-1', 'quiet-2'];
      await givenEvents(database.pool, 1, { correlationId: 'crowd' }, 'quiet-1');
      const crowd = await givenEvents(database.pool, 1_200, { correlationId: 'crowd' }, 'crowd');
      await database.pool.query(
        `insert into event_state (event_id, status, generation, dispatch_no, attempts)
         select id, 'RETRYING', 1, 1, 1 from unnest($1::uuid[]) as t (id)`,
        [crowd.map(({ id }) => id)],
      );
      const page = await findEvents(database.pool, criteriaOf(filter, { tenantIds }), 50);
      expect(page.lookedDownTo).toBeNull();
      expect(page.events.every(({ tenantId }) => tenantIds.includes(tenantId))).toBe(true);
    },
  );

  it('counts the unresolved dead letters of each reason', async () => {
    const { reasons, total } = await listReasons(database.pool, criteriaOf({}, EVERY_TENANT), 50);
    const failedDeliveries = EVENTS / 1_000;
    expect(total).toBe((EVENTS / 100) * 2 + failedDeliveries);
    expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(total);
  });

  it.each<[string, EventFilter]>([
    ['tenant', { tenantId: 'tenant-3' }],
    ['type', { type: 'order.type1' }],
    ['prefix of the type', { type: 'order.*' }],
    ['subject', { subject: 'order-77' }],
    ['partition key', { partitionKey: 'order-77' }],
    ['source', { source: 'api' }],
    ['reason', { reasonCode: 'REASON_1' }],
    ['destination', { destinationId: destination(1) }],
    ['status class', { statusClass: '5xx' }],
    ['correlation id', { correlationId: 'no such' }],
    ['time', { from: '2100-01-01T00:00:00Z' }],
  ])('counts the dead letters that the list finds when filtered by %s', async (_what, filter) => {
    const listed = await allOf({ ...filter, status: 'DLQ' }, 100);
    const { reasons, total } = await listReasons(
      database.pool,
      criteriaOf({ ...filter, status: 'DLQ' }, EVERY_TENANT),
      500,
    );
    expect(total).toBe(listed.length);
    expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(total);
    expect(listed).toEqual(expect.arrayContaining(reasons.flatMap(({ sampleEventIds }) => sampleEventIds)));
  });

  it('takes the id of each group as a filter', async () => {
    const { reasons } = await listReasons(database.pool, criteriaOf({ tenantId: 'tenant-8' }, EVERY_TENANT), 50);
    expect(reasons.some(({ destinationId }) => destinationId !== null)).toBe(true);
    for (const { id, count, sampleEventIds } of reasons) {
      const listed = await allOf({ tenantId: 'tenant-8', group: id }, 50);
      expect(listed).toHaveLength(count);
      expect(listed).toEqual(expect.arrayContaining(sampleEventIds));
    }
    const [first, second] = reasons.map(({ id }) => id);
    expect(first).not.toBe(second);
  });

  it('finds exhausted failures of handlers and deliveries, and those of earlier builds, under RETRY_EXHAUSTED', async () => {
    const tenantId = 'exhausted';
    const give = async (reasonCode: string) =>
      (await givenDeadLetters(database.pool, 1, { tenantId, reasonCode }))[0] as Event;
    const old = await give('RETRY_EXHAUSTED');
    const marked = await give('TIMEOUT');
    await give('TIMEOUT');
    for (const table of ['dead_letters', 'processing_attempts']) {
      await database.pool.query(`update ${table} set exhausted = true where event_id = $1`, [marked.id]);
    }
    const [delivered] = (await givenCompleted(database.pool, 1, tenantId)) as [Event];
    const failed = { status: 'FAILED', exhausted: true, lastReasonCode: 'HTTP_5XX' } as const;
    await givenDelivery(database.pool, { eventId: delivered.id, destinationId: destination(1), tenantId, ...failed });
    const found = [old.id, marked.id, delivered.id].toReversed();
    expect(await allOf({ tenantId, reasonCode: 'RETRY_EXHAUSTED' }, 50)).toEqual(found);
    expect(await allOf({ tenantId, reasonCode: 'RETRY_EXHAUSTED', eventIds: found }, 50)).toEqual(found);
  });

  it('counts the dead letters of named events', async () => {
    const [letter] = (await givenDeadLetters(database.pool, 2, { tenantId: 'named-dead' })) as [Event, Event];
    for (const filter of [{ eventIds: [letter.id] }, { tenantId: 'named-dead', eventIds: [letter.eventId, 'x'] }]) {
      const { reasons, total } = await listReasons(database.pool, criteriaOf(filter, EVERY_TENANT), 50);
      expect([total, reasons]).toMatchObject([1, [{ count: 1, sampleEventIds: [letter.id] }]]);
    }
  });

  it('finds the old reason LANE_FULL and all reasons that replaced it under LANE_FULL, and a new reason alone under its own code', async () => {
    const CODES = ['LANE_FULL', 'CONCURRENCY_LIMIT', 'DESTINATION_BUSY', 'TENANT_FAILING', 'CIRCUIT_OPEN'] as const;
    const dead = new Map<string, string>();
    const retrying = new Map<string, string>();
    for (const reasonCode of CODES) {
      const [letter] = await givenDeadLetters(database.pool, 1, { tenantId: 'split', reasonCode });
      dead.set(reasonCode, letter?.id as string);
      const [event] = (await givenEvents(database.pool, 1, {}, 'split')) as [Event];
      await givenAttempt(database.pool, event, { status: 'RETRY', reasonCode });
      await givenState(database.pool, event, { status: 'RETRYING' });
      retrying.set(reasonCode, event.id);
    }
    const four = (ids: Map<string, string>) => CODES.slice(0, 4).map((code) => ids.get(code));
    const tenantId = 'split';
    expect((await allOf({ tenantId, reasonCode: 'LANE_FULL' }, 2)).toReversed()).toEqual(four(dead));
    expect((await allOf({ tenantId, status: 'RETRYING', reasonCode: 'LANE_FULL' }, 2)).toReversed()).toEqual(
      four(retrying),
    );
    expect(await allOf({ tenantId, reasonCode: 'TENANT_FAILING' }, 50)).toEqual([dead.get('TENANT_FAILING')]);
  });
});
