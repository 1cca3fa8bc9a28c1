import { randomUUID } from 'node:crypto';
import { inTransaction, type Db } from '../../../src/db/pool';
import {
  closeBacklogs,
  closeDestination,
  listClosedBacklogs,
} from '../../../src/delivery-state/close-destination.queries';
import type { DeliveryKey } from '../../../src/delivery-state/delivery';
import { insertBackfill } from '../../../src/admin/replays/backfill.queries';
import { discardDeliveries } from '../../../src/delivery-state/discard-deliveries.queries';
import { hurryDeliveries, reopenDeliveries } from '../../../src/delivery-state/reopen-deliveries.queries';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';
import {
  deliveryRows,
  disable,
  givenDelivery,
  givenDestinationRow,
  queueRows,
  type DeliveryRow,
} from '../../support/deliveries';
import { eventually } from '../../support/eventually';
import { useDatabase } from '../../support/fixtures/database';

const SOME_TIME = expect.stringMatching(/^\d{4}-/) as string;

describe('what operators do with deliveries', () => {
  const database = useDatabase();
  let destinationId: string;
  beforeEach(async () => {
    await database.pool.query('truncate deliveries, delivery_queue, destinations');
    destinationId = await givenDestinationRow(database.pool);
  });

  const given = (more: Partial<Parameters<typeof givenDelivery>[1]> = {}): Promise<DeliveryKey> =>
    givenDelivery(database.pool, { eventId: uuidV7(), destinationId, ...more });
  const change = <T>(work: (db: Db) => Promise<T>): Promise<T> => inTransaction(database.pool, work);
  const statuses = async (): Promise<string[]> => (await deliveryRows(database.pool)).map(({ status }) => status);
  const theDelivery = async (): Promise<DeliveryRow | undefined> => (await deliveryRows(database.pool))[0];
  const failed = { status: 'FAILED', attempts: 10, tries: 10, exhausted: true, lastReasonCode: 'HTTP_5XX' } as const;
  const held = { lease: randomUUID(), dueInSeconds: 30 };
  const abandoned = { lease: randomUUID(), dueInSeconds: -1 };

  describe('reopenDeliveries', () => {
    const reopen = (...keys: DeliveryKey[]): Promise<number> =>
      change(async (db) => (await reopenDeliveries(db, keys)).length);

    it.each(['FAILED', 'DISCARDED'] as const)('opens a %s delivery, which is due at once', async (status) => {
      const key = await given({ ...failed, status });
      await expect(reopen(key)).resolves.toBe(1);
      await expect(deliveryRows(database.pool)).resolves.toMatchObject([
        { ...key, status: 'OPEN', attempts: 10, tries: 0, exhausted: false, settledAt: null, failedAt: null },
      ]);
      const [queued] = await queueRows(database.pool);
      expect(queued).toMatchObject({ ...key, lease: null });
      expect(queued?.dueInSeconds).toBeLessThanOrEqual(0);
    });

    it('leaves other deliveries as they are, also ones of the same event', async () => {
      const key = await given(failed);
      const other = await givenDestinationRow(database.pool);
      await given({ ...failed, eventId: key.eventId, destinationId: other });
      const untouched = await Promise.all([given({ status: 'DELIVERED' }), given({ status: 'SKIPPED' }), given()]);
      await expect(reopen(key, ...untouched)).resolves.toBe(1);
      expect((await statuses()).sort()).toEqual(['DELIVERED', 'FAILED', 'OPEN', 'OPEN', 'SKIPPED']);
    });

    it('leaves out a delivery that a newer generation has replaced', async () => {
      const key = await given(failed);
      await given({ eventId: key.eventId, generation: 2, status: 'DELIVERED' });
      await expect(reopen(key)).resolves.toBe(0);
    });

    it('leaves out deliveries to a destination that is disabled or deleted', async () => {
      const gone = uuidV7();
      const keys = [await given(failed), await given({ ...failed, destinationId: gone })];
      await disable(database.pool, destinationId);
      await expect(reopen(...keys)).resolves.toBe(0);
      await expect(queueRows(database.pool)).resolves.toEqual([]);
    });

    it('leaves out deliveries of an event whose handlers run again', async () => {
      const keys = [await given(failed), await given(failed), await given(failed)];
      const states = ['DISPATCHED', 'RETRYING', 'COMPLETED'];
      for (const [i, { eventId }] of keys.entries()) {
        await database.pool.query(
          'insert into event_state (event_id, status, generation, dispatch_no, attempts) values ($1, $2, 2, 2, 0)',
          [eventId, states[i]],
        );
      }
      await expect(reopen(...keys)).resolves.toBe(1);
      await expect(queueRows(database.pool)).resolves.toMatchObject([{ eventId: keys[2]?.eventId }]);
    });

    it('opens a delivery once, however many operators retry it at a time', async () => {
      const keys = await Promise.all(Array.from({ length: 20 }, () => given(failed)));
      const both = await Promise.all([reopen(...keys), reopen(...[...keys].reverse())]);
      expect(both[0] + both[1]).toBe(20);
      expect(await queueRows(database.pool)).toHaveLength(20);
    });
  });

  describe('hurryDeliveries', () => {
    it('makes a delivery due that waits for its next try, and no other', async () => {
      const waiting = await given({ attempts: 1, dueInSeconds: 3_600 });
      const others = [await given({ ...held, attempts: 1 }), await given({ dueInSeconds: -5 }), await given(failed)];
      await expect(change((db) => hurryDeliveries(db, [waiting, ...others]))).resolves.toEqual([waiting]);
      const due = new Map((await queueRows(database.pool)).map((row) => [row.eventId, row.dueInSeconds]));
      expect(due.get(waiting.eventId)).toBeLessThanOrEqual(0);
      expect(due.get(others[0]?.eventId ?? '')).toBeGreaterThan(20);
      await expect(theDelivery()).resolves.toMatchObject({ attempts: 1, tries: 1 });
    });
  });

  describe('discardDeliveries', () => {
    const discard = (...keys: DeliveryKey[]): Promise<number> =>
      change(async (db) => (await discardDeliveries(db, keys)).length);

    it.each([
      ['FAILED', failed],
      ['pending', {}],
      ['waiting', { attempts: 1, dueInSeconds: 3_600 }],
      ['abandoned', abandoned],
    ] as const)('discards a delivery that is %s', async (_what, more) => {
      const key = await given(more);
      await expect(discard(key)).resolves.toBe(1);
      await expect(deliveryRows(database.pool)).resolves.toMatchObject([
        { ...key, status: 'DISCARDED', settledAt: SOME_TIME, failedAt: SOME_TIME },
      ]);
      await expect(queueRows(database.pool)).resolves.toEqual([]);
    });

    it('leaves out deliveries that are held, settled or replaced', async () => {
      const old = await given(failed);
      const keys = [old, await given(held), await given({ status: 'DELIVERED' }), await given({ status: 'SKIPPED' })];
      await given({ eventId: old.eventId, generation: 2, status: 'DELIVERED' });
      await expect(discard(...keys)).resolves.toBe(0);
      expect(await queueRows(database.pool)).toHaveLength(1);
    });
  });

  describe('closeDestination', () => {
    const close = (id = destinationId, limit = 100): Promise<number> => change((db) => closeDestination(db, id, limit));

    it('does nothing while the destination is enabled', async () => {
      await given();
      await expect(close()).resolves.toBe(0);
      await expect(statuses()).resolves.toEqual(['OPEN']);
    });

    it('skips the open deliveries of a destination that a person has disabled', async () => {
      const key = await given({ attempts: 2, lastReasonCode: 'TIMEOUT' });
      await given(failed);
      await disable(database.pool, destinationId);
      await expect(close()).resolves.toBe(1);
      await expect(deliveryRows(database.pool)).resolves.toMatchObject([
        { ...key, status: 'SKIPPED', lastReasonCode: 'DESTINATION_DISABLED', settledAt: SOME_TIME, failedAt: null },
        { status: 'FAILED' },
      ]);
      await expect(queueRows(database.pool)).resolves.toEqual([]);
    });

    it('skips the open deliveries of a destination that was deleted', async () => {
      await given();
      await database.pool.query('delete from destinations');
      await expect(close()).resolves.toBe(1);
      await expect(theDelivery()).resolves.toMatchObject({
        status: 'SKIPPED',
        lastReasonCode: 'DESTINATION_DELETED',
      });
    });

    it('fails the open deliveries of a destination that failures disabled, with the reason of the last attempt', async () => {
      await given({ attempts: 2, lastReasonCode: 'TIMEOUT' });
      await given();
      await disable(database.pool, destinationId, 'responded with 410');
      await expect(close()).resolves.toBe(2);
      const rows = await deliveryRows(database.pool);
      expect(rows).toMatchObject([
        { status: 'FAILED', lastReasonCode: 'TIMEOUT', failedAt: SOME_TIME },
        { status: 'FAILED', lastReasonCode: 'DESTINATION_DISABLED', failedAt: SOME_TIME },
      ]);
    });

    it('leaves out what a worker is sending, closes what one has abandoned, and closes at most `limit`', async () => {
      await Promise.all([given(held), given(abandoned), given(), given({ dueInSeconds: 3_600 })]);
      await disable(database.pool, destinationId);
      await expect(close(destinationId, 2)).resolves.toBe(2);
      await expect(close()).resolves.toBe(1);
      await expect(queueRows(database.pool)).resolves.toMatchObject([{ lease: held.lease }]);
    });

    it('is due for destinations with open deliveries that are disabled or deleted', async () => {
      const gone = uuidV7();
      const [disabled, empty] = [await givenDestinationRow(database.pool), await givenDestinationRow(database.pool)];
      await Promise.all([given(), given(), given({ destinationId: gone }), given({ destinationId: disabled })]);
      await disable(database.pool, disabled);
      await disable(database.pool, empty);
      expect((await listClosedBacklogs(database.pool, 10)).sort()).toEqual([gone, disabled].sort());
      await expect(listClosedBacklogs(database.pool, 1)).resolves.toHaveLength(1);
      await expect(closeBacklogs(database.pool, 100)).resolves.toBe(2);
      await expect(listClosedBacklogs(database.pool, 10)).resolves.toEqual([]);
      expect((await statuses()).sort()).toEqual(['OPEN', 'OPEN', 'SKIPPED', 'SKIPPED']);
    });

    it('I10: closes the others when one cannot be closed, and says so in the end', async () => {
      const { pool } = database;
      const [first = '', second = ''] = [destinationId, await givenDestinationRow(pool)].sort();
      for (const id of [first, second]) {
        await given({ destinationId: id });
        await disable(pool, id);
      }
      await pool.query(`
        create function breaks() returns trigger language plpgsql as $$ begin raise exception 'it is broken'; end $$;
        create trigger breaks before update on deliveries
           for each row when (new.destination_id = '${first}') execute function breaks()`);
      try {
        await expect(closeBacklogs(pool, 100)).rejects.toThrow('it is broken');
        expect(await listClosedBacklogs(pool, 10)).toEqual([first]);
      } finally {
        await pool.query('drop function breaks() cascade');
      }
    });

    it('closes each destination in a transaction of its own, so that it never holds the backfills of two', async () => {
      const { pool } = database;
      const [first = '', second = ''] = [destinationId, await givenDestinationRow(pool)].sort();
      const replayOf = { [first]: uuidV7(), [second]: uuidV7() };
      for (const [id, replayId] of Object.entries(replayOf)) {
        const range = { type: null, position: uuidV7Floor(0), below: uuidV7(), remaining: null, ratePerSecond: null };
        await insertBackfill(pool, { replayId, destinationId: id, ...range });
        await given({ destinationId: id, replayId });
        await disable(pool, id);
      }
      const closedOf = async (id: string): Promise<number | undefined> => {
        const closed = 'select closed from backfills where replay_id = $1';
        return (await pool.query<{ closed: number }>(closed, [replayOf[id]])).rows[0]?.closed;
      };
      const backfill = await pool.connect();
      let closing: Promise<unknown> | undefined;
      try {
        await backfill.query('begin');
        await backfill.query('select from backfills where replay_id = $1 for update', [replayOf[second]]);
        closing = closeBacklogs(pool, 100);
        await eventually(async () => expect(await closedOf(first)).toBe(1));
        expect(await closedOf(second)).toBe(0);
      } finally {
        await backfill.query('rollback');
        backfill.release();
      }
      await expect(closing).resolves.toBe(2);
      expect(await closedOf(second)).toBe(1);
    });
  });
});
