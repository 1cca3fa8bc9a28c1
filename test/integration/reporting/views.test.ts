import type { Pool } from 'pg';
import type { Event } from '../../../src/event/event';
import { givenCompleted, givenDeadLetters } from '../../support/admin';
import { useApp } from '../../support/fixtures/app';
import { postEvent } from '../../support/e2e-http';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { eventBody } from '../../support/events';
import { expectSameEvent, expectSameOutbox, expectSameUsage, openKinds, unnamedWork } from '../../support/reporting';
import {
  givenAttempt,
  givenEntry,
  givenEvent,
  givenFailedEvent,
  givenRetry,
  givenState,
  setEntries,
} from '../../support/rows';

const entryIs = (status: 'PENDING' | 'IN_FLIGHT' | 'FAILED' | 'PUBLISHED') => async (pool: Pool) => {
  const event = await givenEvent(pool, {
    eventId: `own-${status}`,
    source: 'shop',
    occurredAt: '2020-02-29T01:02:03Z',
  });
  await setEntries(pool, [event], status);
  return event;
};

const completed = async (pool: Pool): Promise<Event> => (await givenCompleted(pool, 1))[0] as Event;
const deadLetter = async (pool: Pool): Promise<Event> => (await givenDeadLetters(pool, 1))[0] as Event;

/** An event that was dispatched again, in `generation`; its new entry is PENDING. */
async function dispatchedAgain(pool: Pool, event: Event, generation: number): Promise<Event> {
  const outboxId = await givenEntry(pool, event, { destination: 'retry', generation });
  await givenState(pool, event, { status: 'DISPATCHED', generation, outboxId, attempts: 0 });
  return event;
}

async function givenReplay(pool: Pool, event: Event, outcome: string): Promise<Event> {
  await pool.query(
    `with replay as (
       insert into replays (id, mode, filter, matched, more, requested_by, correlation_id)
       values (gen_random_uuid(), 'reprocess', '{}', 1, false, 'test', 'test') returning id)
     insert into replay_events (replay_id, event_id, outcome) select id, $1, $2 from replay`,
    [event.id, outcome],
  );
  return event;
}

interface Case {
  arrange: (pool: Pool) => Promise<Event>;
  status: string;
  open: string[];
  generation?: number;
}

const CASES: Record<string, Case> = {
  'an event that waits in the outbox': { arrange: entryIs('PENDING'), status: 'RECEIVED', open: ['outbox'] },
  'an event that is being published': { arrange: entryIs('IN_FLIGHT'), status: 'RECEIVED', open: ['outbox'] },
  'an event that the broker refused': { arrange: entryIs('FAILED'), status: 'RECEIVED', open: ['outbox'] },
  'a published event': { arrange: entryIs('PUBLISHED'), status: 'PUBLISHED', open: ['dispatch'] },
  'a completed event': { arrange: completed, status: 'COMPLETED', open: [] },
  'an event whose delivery waits': {
    arrange: async (pool) => {
      const event = await completed(pool);
      const destinationId = await givenDestinationRow(pool);
      await givenDelivery(pool, { eventId: event.id, destinationId, attempts: 1, dueInSeconds: 60 });
      return event;
    },
    status: 'RETRYING',
    open: ['delivery'],
  },
  'an event that completed before its entry was closed': {
    arrange: async (pool) => {
      const event = await givenEvent(pool);
      await givenAttempt(pool, event);
      return event;
    },
    status: 'COMPLETED',
    open: ['outbox'],
  },
  'an event that completed at its third attempt': {
    arrange: async (pool) => {
      const event = await givenEvent(pool);
      const outboxId = await givenEntry(pool, event, { destination: 'retry', dispatchNo: 3 });
      await setEntries(pool, [event], 'PUBLISHED');
      await givenAttempt(pool, event, { status: 'RETRY', reasonCode: 'TIMEOUT' });
      await givenAttempt(pool, event, { status: 'RETRY', dispatchNo: 2, attemptNumber: 2 });
      await givenAttempt(pool, event, { dispatchNo: 3, attemptNumber: 3 });
      await givenState(pool, event, { status: 'COMPLETED', dispatchNo: 3, attempts: 2, outboxId });
      return event;
    },
    status: 'COMPLETED',
    open: [],
  },
  'a revised event that has succeeded and is dispatched again': {
    arrange: async (pool) => {
      const event = await givenEvent(pool);
      const outboxId = await givenEntry(pool, event, { destination: 'retry', generation: -1 }); // as of a revision
      await setEntries(pool, [event], 'PUBLISHED');
      await givenAttempt(pool, event);
      await givenState(pool, event, { status: 'DISPATCHED', outboxId });
      return event;
    },
    status: 'COMPLETED',
    open: [],
  },
  'an event that waits for a retry': {
    arrange: (pool) => givenFailedEvent(pool, 60),
    status: 'RETRYING',
    open: ['retry'],
  },
  'an event whose retry is overdue': {
    arrange: (pool) => givenFailedEvent(pool, -60),
    status: 'RETRYING',
    open: ['retry'],
  },
  'a dead letter': { arrange: deadLetter, status: 'DLQ', open: [] },
  'a dead letter whose copy is not published': {
    arrange: async (pool) => {
      const event = await deadLetter(pool);
      await givenEntry(pool, event, { destination: 'dlq' });
      return event;
    },
    status: 'DLQ',
    open: ['outbox'],
  },
  'a dead letter whose copy is published': {
    arrange: async (pool) => {
      const event = await deadLetter(pool);
      await givenEntry(pool, event, { destination: 'dlq', status: 'PUBLISHED' });
      return event;
    },
    status: 'DLQ',
    open: [],
  },
  'a discarded event': {
    arrange: async (pool) => {
      const event = await givenEvent(pool);
      await setEntries(pool, [event], 'PUBLISHED');
      await givenAttempt(pool, event, { status: 'DLQ', reasonCode: 'INVALID_PAYLOAD' });
      await givenState(pool, event, { status: 'DISCARDED', lastError: 'it broke' });
      return event;
    },
    status: 'DISCARDED',
    open: [],
  },
  'a lost event that was dispatched again': {
    arrange: async (pool) => {
      const event = await givenEvent(pool);
      await setEntries(pool, [event], 'PUBLISHED');
      return dispatchedAgain(pool, event, 1);
    },
    status: 'RECEIVED',
    open: ['outbox'],
  },
  'an event in its second generation, not published': {
    arrange: async (pool) => dispatchedAgain(pool, await completed(pool), 2),
    status: 'RECEIVED',
    open: ['outbox'],
    generation: 2,
  },
  'an event in its second generation, published': {
    arrange: async (pool) => {
      const event = await dispatchedAgain(pool, await completed(pool), 2);
      await setEntries(pool, [event], 'PUBLISHED');
      return event;
    },
    status: 'PUBLISHED',
    open: ['dispatch'],
    generation: 2,
  },
  'an event that completed in its second generation': {
    arrange: async (pool) => {
      const event = await completed(pool);
      const outboxId = await givenEntry(pool, event, { generation: 2, status: 'PUBLISHED' });
      await givenAttempt(pool, event, { generation: 2, dispatchNo: 2 });
      await givenState(pool, event, { status: 'COMPLETED', generation: 2, outboxId });
      return event;
    },
    status: 'COMPLETED',
    open: [],
    generation: 2,
  },
  'an event that waits in a replay': {
    arrange: async (pool) => givenReplay(pool, await completed(pool), 'PENDING'),
    status: 'COMPLETED',
    open: ['replay'],
  },
  'a retry that waits in a replay as well': {
    arrange: async (pool) => givenReplay(pool, await givenFailedEvent(pool, 60), 'PENDING'),
    status: 'RETRYING',
    open: ['replay', 'retry'],
  },
  'an event whose replay has recorded the outcome': {
    arrange: async (pool) => givenReplay(pool, await completed(pool), 'COMPLETED'),
    status: 'COMPLETED',
    open: [],
  },
  'a completed event whose entry is past its retention': {
    arrange: async (pool) => {
      const event = await completed(pool);
      await pool.query('delete from outbox where event_id = $1', [event.id]);
      return event;
    },
    status: 'COMPLETED',
    open: [],
  },
};

describe('the reporting views', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const positionOfReconciler = (position: string): Promise<unknown> =>
    api.pool.query(
      `insert into chore_progress (name, position) values ('reconciler', $1)
       on conflict (name) do update set position = excluded.position`,
      [position],
    );

  it.each(Object.keys(CASES))('agree with the API about %s', async (name) => {
    const { arrange, status, open, generation = 1 } = CASES[name] as Case;
    const event = await arrange(api.pool);
    const row = await expectSameEvent(api.pool, api.url, event.tenantId, event.id);
    expect(row).toMatchObject({ status, generation });
    expect(await openKinds(api.pool, event.id)).toEqual(open);
    await expectSameOutbox(api.pool, api.url);
  });

  it('have one row for each event and list everything unfinished as open work', async () => {
    const { rows } = await api.pool.query(
      `select (select count(*) from reporting.events) = (select count(*) from events) as "oneEach",
              (select count(*) from reporting.attempts) = (select count(*) from processing_attempts) as "allAttempts"`,
    );
    expect(rows).toEqual([{ oneEach: true, allAttempts: true }]);
    expect(await unnamedWork(api.pool)).toEqual([]);
  });

  it('count an event that was sent twice once', async () => {
    const body = JSON.stringify(eventBody({ eventId: 'sent-twice' }));
    const [first, second] = [await postEvent(api.url, 'twice', body), await postEvent(api.url, 'twice', body)];
    expect([first.status, second.status, second.body.id]).toEqual([202, 200, first.body.id]);
    await expectSameEvent(api.pool, api.url, 'twice', first.body.id);
    const { rows } = await api.pool.query(`select id, event_id from reporting.events where tenant_id = 'twice'`);
    expect(rows).toEqual([{ id: first.body.id, event_id: 'sent-twice' }]);
  });

  it('agree with the API about the usage', async () => {
    await api.pool.query(
      `insert into usage_daily (tenant_id, day, type, events, bytes)
       values ('metered', '2026-01-05', 'a', 1, 2), ('metered', '2026-01-06', 'a', 3, 4), ('metered', '2026-01-06', 'b', 5, 6)`,
    );
    await expectSameUsage(api.pool, api.url, 'metered');
  });

  it('list a published event as open work until the reconciler has passed its entry', async () => {
    const { pool } = api;
    const settled = await completed(pool);
    const open = await givenEvent(pool);
    await setEntries(pool, [open], 'PUBLISHED');
    const { rows } = await pool.query<{ id: string; closedAt: string }>(
      'select id, closed_at as "closedAt" from outbox where event_id = $1',
      [open.id],
    );
    const entry = rows[0] as { id: string; closedAt: string };
    await positionOfReconciler(String(BigInt(entry.id) - 1n));
    const { rows: work } = await pool.query('select * from reporting.open_work where event_id = any ($1)', [
      [open.id, settled.id],
    ]);
    expect(work).toEqual([{ kind: 'dispatch', event_id: open.id, since: entry.closedAt }]);
    await positionOfReconciler(entry.id);
    expect(await openKinds(pool, open.id)).toEqual([]);
    await positionOfReconciler('0');
  });

  it('show since when a retry and a replay have been waiting', async () => {
    const { pool } = api;
    const retried = await givenEvent(pool);
    await givenState(pool, retried, { status: 'RETRYING' });
    await givenRetry(pool, retried, { dueInSeconds: 3_600 });
    await givenReplay(pool, retried, 'PENDING');
    const { rows } = await pool.query(
      `select w.kind, w.since = case w.kind when 'retry' then s.updated_at when 'replay' then r.created_at
                                           else o.created_at end as right
         from reporting.open_work w join event_state s using (event_id) join outbox o using (event_id)
         join replay_events e using (event_id) join replays r on r.id = e.replay_id
        where event_id = $1 order by w.kind`,
      [retried.id],
    );
    expect(rows).toEqual(['outbox', 'replay', 'retry'].map((kind) => ({ kind, right: true })));
  });
});
