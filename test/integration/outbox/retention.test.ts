import { Logger } from '@nestjs/common';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { findEventById } from '../../../src/ingest/event-reader.queries';
import { Retention } from '../../../src/outbox/retention';
import { insertRevision, listRevisions } from '../../../src/revisions/revisions.queries';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenDelivery } from '../../support/deliveries';
import {
  countRows,
  givenAttempt,
  givenEntry,
  givenEvent,
  givenRetry,
  givenState,
  setEntries,
} from '../../support/rows';

const DAY_MS = 86_400_000;

let database: TestDatabase;
beforeAll(() => {
  Logger.overrideLogger(false);
});
beforeEach(async () => (database = await createTestDatabase()));
afterEach(() => database.drop());

const retention = (env: Record<string, string> = {}): Retention => new Retention(testSettings(env), database.pool);
const partitions = async (parent: string): Promise<string[]> => {
  const { rows } = await database.pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1`,
    [parent],
  );
  return rows.map(({ name }) => name);
};
/** Records that the reconciler has examined all entries. */
const reconciled = () =>
  database.pool.query(
    `insert into chore_progress (name, position) select 'reconciler', coalesce(max(id), 0) from outbox
     on conflict (name) do update set position = excluded.position`,
  );

describe('retention', () => {
  it('makes the other partitions when one cannot be made, and says so in the end', async () => {
    const newest = async (parent: string) =>
      (await partitions(parent)).filter((name) => name !== `${parent}_default`).at(-1) as string;
    const [day, week] = [await newest('outbox'), await newest('events')];
    await database.pool.query(`drop table ${day}, ${week}; create type ${day} as enum ()`);
    await expect(retention().runOnce()).rejects.toMatchObject({ code: '42710' });
    expect(await partitions('events')).toContain(week);
    expect(await partitions('outbox')).not.toContain(day);
  });

  it('creates missing partitions, waits only briefly for a report that reads all tables, and tries again', async () => {
    const [newest] = (await partitions('outbox')).filter((name) => name !== 'outbox_default').slice(-1);
    await database.pool.query(`drop table ${newest}`);
    const report = await database.pool.connect();
    try {
      await report.query('begin');
      await report.query('select count(*) from reporting.events');
      const startedMs = Date.now();
      await expect(retention().runOnce()).resolves.toMatchObject({ made: 0, dropped: [] });
      expect(Date.now() - startedMs).toBeLessThan(3_000);
    } finally {
      await report.query('rollback');
      report.release();
    }
    await expect(retention().runOnce()).resolves.toMatchObject({ made: 1, dropped: [] });
  });
});

describe('retention of the outbox', () => {
  const DAY = 'outbox_d20260105';

  /** Stores a new event and moves its entry to the partition of a day long ago. */
  const givenOldEntry = async (status: 'PUBLISHED' | 'PENDING' | 'FAILED' = 'PUBLISHED'): Promise<Event> => {
    const { pool } = database;
    await pool.query(
      `select attach_partition('outbox', '${DAY}', '2026-01-05 00:00:00+00', '2026-01-06 00:00:00+00', '')`,
    );
    const event = await givenEvent(pool);
    await setEntries(pool, [event], status);
    await pool.query(`update outbox set created_at = '2026-01-05 12:00:00+00' where event_id = $1`, [event.id]);
    await expect(countRows(pool, `${DAY} where event_id = '${event.id}'`)).resolves.toBe(1);
    return event;
  };

  it('drops a day that is past its retention, and the status of its events stays correct', async () => {
    const event = await givenOldEntry();
    await givenAttempt(database.pool, event);
    const published = await givenOldEntry();
    await reconciled();
    await expect(retention().runOnce()).resolves.toMatchObject({ made: 0, dropped: [DAY] });
    await expect(partitions('outbox')).resolves.not.toContain(DAY);
    const statusOf = async ({ id }: Event) =>
      (await findEventById(database.pool, { tenantId: 'acme', tenantIds: null }, id))?.status;
    await expect(statusOf(event)).resolves.toBe('COMPLETED');
    await expect(statusOf(published)).resolves.toBe('PUBLISHED');
    await expect(retention().runOnce()).resolves.toMatchObject({ made: 0, dropped: [] });
  });

  it.each(['PENDING', 'FAILED'] as const)('keeps a day that contains a %s entry', async (status) => {
    await givenOldEntry(status);
    await reconciled();
    await expect(retention().runOnce()).resolves.toMatchObject({ dropped: [] });
    await expect(countRows(database.pool, DAY)).resolves.toBe(1);
  });

  it('I13: keeps a day that the reconciler has not examined', async () => {
    await givenOldEntry();
    await expect(retention().runOnce()).resolves.toMatchObject({ dropped: [] });
    await reconciled();
    await expect(retention().runOnce()).resolves.toMatchObject({ dropped: [DAY] });
  });

  it('keeps a day that is not past its retention', async () => {
    await givenOldEntry();
    await reconciled();
    await expect(retention({ OUTBOX_RETENTION_HOURS: '200000' }).runOnce()).resolves.toMatchObject({ dropped: [] });
  });

  it('deletes only published entries from the default partition', async () => {
    const { pool } = database;
    const [published, open] = [await givenEvent(pool), await givenEvent(pool)];
    await setEntries(pool, [published], 'PUBLISHED');
    await pool.query(`update outbox set created_at = '2026-01-05 12:00:00+00'`);
    await expect(countRows(pool, 'outbox_default')).resolves.toBe(2);
    await reconciled();
    await retention().runOnce();
    const { rows } = await pool.query('select event_id from outbox_default');
    expect(rows).toEqual([{ event_id: open.id }]);
  });

  it('does not wait long for a partition that is in use, so that it does not block others', async () => {
    await givenOldEntry();
    await reconciled();
    const reader = await database.pool.connect();
    try {
      await reader.query('begin');
      await reader.query(`select from ${DAY}`);
      const startedMs = Date.now();
      await expect(retention().runOnce()).resolves.toMatchObject({ dropped: [] });
      expect(Date.now() - startedMs).toBeLessThan(3_000);
    } finally {
      await reader.query('rollback');
      reader.release();
    }
    await expect(retention().runOnce()).resolves.toMatchObject({ dropped: [DAY] });
  });
});

describe('retention of events and attempts', () => {
  const WEEK = {
    events: 'events_y2026w02',
    attempts: 'processing_attempts_y2026w02',
    requests: 'received_requests_y2026w02',
  };
  const KEPT_DAYS = { EVENT_RETENTION_DAYS: '30' };

  /** Stores a completed event of 6 January 2026 in the partition of its week, without an outbox entry. */
  const givenOldEvent = async (): Promise<Event> => {
    const { pool } = database;
    for (const [parent, name] of [
      ['events', WEEK.events],
      ['processing_attempts', WEEK.attempts],
    ]) {
      await pool.query(
        `select attach_partition($1, $2, uuid_v7_floor('2026-01-05')::text, uuid_v7_floor('2026-01-12')::text, '')`,
        [parent, name],
      );
    }
    const event = await givenEvent(pool);
    const { rows } = await pool.query<{ id: string }>(
      `update events set id = (left(uuid_v7_floor('2026-01-06')::text, 13) || substr(id::text, 14))::uuid
        where id = $1 returning id`,
      [event.id],
    );
    const { id } = rows[0] as { id: string };
    await pool.query('delete from outbox where event_id = $1', [event.id]);
    const old = { ...event, id };
    await givenAttempt(pool, old);
    await expect(countRows(pool, WEEK.events)).resolves.toBe(1);
    await expect(countRows(pool, WEEK.attempts)).resolves.toBe(1);
    return old;
  };
  const givenDelivered = (event: Event, delivery: Partial<Parameters<typeof givenDelivery>[1]>) =>
    givenDelivery(database.pool, { eventId: event.id, destinationId: uuidV7(), ...delivery });
  const run = async (env: Record<string, string> = KEPT_DAYS) => (await retention(env).runOnce()).dropped;

  it('drops a week that is past its retention when all its events are settled, with their state', async () => {
    const { pool } = database;
    const event = await givenOldEvent();
    await givenState(pool, event, { status: 'COMPLETED' });
    await pool.query(`insert into handler_effects (event_id, generation, handler) values ($1, 1, 'x')`, [event.id]);
    const young = await givenEvent(pool);
    await givenState(pool, young, { status: 'COMPLETED' });
    await reconciled();
    await expect(run()).resolves.toEqual([WEEK.events]);
    await expect(partitions('events')).resolves.not.toContain(WEEK.events);
    await expect(partitions('processing_attempts')).resolves.not.toContain(WEEK.attempts);
    const audited = `admin_audit where actor = 'streamforge' and action = 'retention.drop' and counts = '{"events":1}'`;
    await expect(countRows(pool, `${audited} and filter ->> 'from' = '2026-01-05T00:00:00.000Z'`)).resolves.toBe(1);
    await expect(countRows(pool, 'event_state')).resolves.toBe(1);
    await expect(countRows(pool, 'handler_effects')).resolves.toBe(0);
    await expect(countRows(pool, 'events')).resolves.toBe(1);
  });

  it('drops the requests of sources with the events that came in them', async () => {
    const { pool } = database;
    await pool.query(
      `select attach_partition('received_requests', $1, uuid_v7_floor('2026-01-05')::text, uuid_v7_floor('2026-01-12')::text, '')`,
      [WEEK.requests],
    );
    await pool.query(
      `insert into received_requests (id, source_id, request)
       values (uuid_v7_floor('2026-01-06'), gen_random_uuid(), '{}'), (uuid_v7_floor(now()), gen_random_uuid(), '{}')`,
    );
    await givenState(pool, await givenOldEvent(), { status: 'COMPLETED' });
    await reconciled();
    await expect(run()).resolves.toEqual([WEEK.events]);
    await expect(partitions('received_requests')).resolves.not.toContain(WEEK.requests);
    await expect(countRows(pool, 'received_requests')).resolves.toBe(1);
  });

  it('drops deliveries and their attempts with their events, also those whose failure a newer delivery has replaced', async () => {
    const { pool } = database;
    for (const parent of ['deliveries', 'delivery_attempts']) {
      await pool.query(
        `select attach_partition($1, $1 || '_y2026w02', uuid_v7_floor('2026-01-05')::text, uuid_v7_floor('2026-01-12')::text, '')`,
        [parent],
      );
    }
    const event = await givenOldEvent();
    const destinationId = uuidV7();
    await givenDelivered(event, { destinationId, status: 'FAILED' });
    await givenDelivered(event, { destinationId, generation: 2, status: 'DELIVERED' });
    await givenDelivered(event, { status: 'DISCARDED' });
    await givenDelivered(await givenEvent(pool), { status: 'OPEN' });
    await pool.query(
      `insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, duration_ms, worker)
       values ($1, $2, 2, 1, 'PROCESSED', 1, 'test')`,
      [event.id, destinationId],
    );
    await reconciled();
    await expect(run()).resolves.toEqual([WEEK.events]);
    await expect(partitions('deliveries')).resolves.not.toContain('deliveries_y2026w02');
    await expect(partitions('delivery_attempts')).resolves.not.toContain('delivery_attempts_y2026w02');
    await expect(countRows(pool, 'deliveries')).resolves.toBe(1);
    await expect(countRows(pool, 'delivery_attempts')).resolves.toBe(0);
    await expect(countRows(pool, 'delivery_queue')).resolves.toBe(1);
  });

  it.each(['in a partition of their week', 'in the default partition, because the event is older than the table'])(
    'drops revisions with their events: %s',
    async (place) => {
      const { pool } = database;
      if (place.startsWith('in a')) {
        await pool.query(
          `select attach_partition('event_revisions', 'event_revisions_y2026w02', uuid_v7_floor('2026-01-05')::text,
                                   uuid_v7_floor('2026-01-12')::text, '')`,
        );
      }
      const old = await givenOldEvent();
      const young = await givenEvent(pool);
      for (const { id: eventId } of [old, young]) {
        const content = { payloadJson: '{}', hash: 'ab'.repeat(32), sizeBytes: 2 };
        await insertRevision(pool, { eventId, revision: 2, ...content, note: null, actor: 'ada' });
      }
      await givenState(pool, old, { status: 'COMPLETED' });
      await reconciled();
      await expect(run()).resolves.toEqual([WEEK.events]);
      await expect(listRevisions(pool, old.id)).resolves.toEqual([]);
      await expect(listRevisions(pool, young.id)).resolves.toHaveLength(1);
      await expect(partitions('event_revisions')).resolves.not.toContain('event_revisions_y2026w02');
    },
  );

  it('forgets the figures of destinations after two days', async () => {
    const { pool } = database;
    await pool.query(
      `insert into destination_minutes (destination_id, minute, delivered, failed, latency_ms)
       select gen_random_uuid(), now() - make_interval(hours => age), 1, 0, '{}' from unnest(array[1, 47, 49, 500]) age`,
    );
    await run({});
    await expect(countRows(pool, 'destination_minutes')).resolves.toBe(2);
  });

  it('drops a week of rejections that is past their own retention, and keeps them with 0', async () => {
    const { pool } = database;
    const week = 'rejections_y2026w02';
    await pool.query(
      `select attach_partition('rejections', $1, uuid_v7_floor('2026-01-05')::text, uuid_v7_floor('2026-01-12')::text, '')`,
      [week],
    );
    await pool.query(
      `insert into rejections (id, tenant_id, endpoint, code, message, correlation_id, received_at, size_bytes, digest, body)
       select uuid_v7_floor(at), 't', 'source', 'invalid-event', 'x', 'c', at, 1, '', ''
         from unnest(array['2026-01-06'::timestamptz, now()]) at`,
    );
    await expect(run({ REJECTION_RETENTION_DAYS: '0' })).resolves.toEqual([]);
    await expect(run({})).resolves.toEqual([week]);
    await expect(countRows(pool, 'rejections')).resolves.toBe(1);
    const audited = `admin_audit where action = 'retention.drop' and counts = '{"rejections":1}'`;
    await expect(countRows(pool, audited)).resolves.toBe(1);
  });

  it('keeps everything by default', async () => {
    await givenOldEvent();
    await reconciled();
    await expect(run({})).resolves.toEqual([]);
    await expect(countRows(database.pool, WEEK.events)).resolves.toBe(1);
  });

  it.each<[string, (event: Event) => Promise<unknown>]>([
    ['an open outbox entry', (event) => givenEntry(database.pool, event)],
    ['a FAILED outbox entry', (event) => givenEntry(database.pool, event, { status: 'FAILED' })],
    ['a waiting retry', (event) => givenRetry(database.pool, event, { dueInSeconds: 60 })],
    ['a RETRYING event', (event) => givenState(database.pool, event, { status: 'RETRYING' })],
    ['a DISPATCHED event', (event) => givenState(database.pool, event, { status: 'DISPATCHED' })],
    [
      'an unresolved dead letter',
      (event) =>
        database.pool.query(
          `insert into dead_letters (event_id, tenant_id, type, reason_code, attempts, first_failed_at, last_failed_at)
           values ($1, 'acme', 'order.paid', 'HANDLER_ERROR', 1, now(), now())`,
          [event.id],
        ),
    ],
    ['an open delivery', (event) => givenDelivered(event, { status: 'OPEN' })],
    ['a failed delivery', (event) => givenDelivered(event, { status: 'FAILED' })],
  ])('never drops a week that contains %s', async (_, open) => {
    await open(await givenOldEvent());
    await reconciled();
    await expect(run()).resolves.toEqual([]);
    await expect(countRows(database.pool, WEEK.events)).resolves.toBe(1);
    await expect(countRows(database.pool, WEEK.attempts)).resolves.toBe(1);
  });

  it('drops a week whose dead letters are resolved, with the state of its events', async () => {
    const { pool } = database;
    const event = await givenOldEvent();
    await givenState(pool, event, { status: 'DISCARDED' });
    await pool.query(
      `insert into dead_letters (event_id, tenant_id, type, reason_code, attempts, first_failed_at, last_failed_at,
                                 resolved_at, resolution)
       values ($1, 'acme', 'order.paid', 'HANDLER_ERROR', 1, now(), now(), now(), 'DISCARDED')`,
      [event.id],
    );
    await reconciled();
    await expect(run()).resolves.toEqual([WEEK.events]);
    await expect(countRows(pool, 'dead_letters')).resolves.toBe(0);
    await expect(countRows(pool, 'event_state')).resolves.toBe(0);
  });

  it('I13: never drops a week whose entries the reconciler has not examined', async () => {
    const { pool } = database;
    const event = await givenOldEvent();
    const entry = await givenEntry(pool, event, { status: 'PUBLISHED', dispatchNo: 1 });
    await pool.query(`update outbox set created_at = '2026-01-06' where id = $1`, [entry]);
    await expect(run()).resolves.toEqual([]);
    await reconciled();
    await expect(run()).resolves.toEqual([WEEK.events]);
  });

  it('keeps the weeks within the retention time', async () => {
    await givenEvent(database.pool);
    await reconciled();
    const before = await partitions('events');
    await expect(run({ EVENT_RETENTION_DAYS: '1' })).resolves.toEqual(
      before.filter((name) => name === partitionBefore(Date.now() - DAY_MS, before)),
    );
    await expect(countRows(database.pool, 'events')).resolves.toBe(1);
  });

  /** Returns the partition of the week before this one if it ended before `moment`, in ms. */
  function partitionBefore(moment: number, names: readonly string[]): string | undefined {
    const oldest = names.find((name) => name !== 'events_default');
    const monday = new Date(Date.now());
    monday.setUTCHours(0, 0, 0, 0);
    monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
    return monday.getTime() <= moment ? oldest : undefined;
  }
});
