import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { PublishOutcome } from '../../../src/broker/broker';
import { withinDeadline } from '../../../src/runtime/deadline';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { inTransaction } from '../../../src/db/pool';
import { Metrics } from '../../../src/observability/metrics';
import { CLAIM_SETTINGS, claimDueEntries, claimStatement } from '../../../src/outbox/claim.queries';
import type { ClaimedEntry } from '../../../src/outbox/outbox-entry';
import { Publisher } from '../../../src/outbox/publisher';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';
import { countRows, expireLeases, givenEvent, givenEvents, letPass, outboxRows, setEntries } from '../../support/rows';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

const LEASE_SECONDS = 30;
const MAX_BYTES = 1_000_000;

describe('the publisher', () => {
  let database: TestDatabase;
  let broker: ScriptedBroker;
  let metrics: Metrics;
  let wakeUp: LocalWakeUp;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    await database.pool.query('truncate events, outbox, idempotency_keys, event_state');
    broker = new ScriptedBroker();
    metrics = new Metrics();
    wakeUp = new LocalWakeUp();
  });
  afterAll(() => database.drop());

  const publisherTo = (target: ScriptedBroker, env: Record<string, string> = {}): Publisher => {
    const settings = testSettings({ OUTBOX_INFLIGHT_LEASE_SECONDS: String(LEASE_SECONDS), ...env });
    return new Publisher(settings, database.pool, target, wakeUp, metrics);
  };

  const claim = async (asked: { token: string; limit: number; maxBytes?: number }): Promise<ClaimedEntry[]> => {
    const request = { maxBytes: MAX_BYTES, leaseSeconds: LEASE_SECONDS, ...asked };
    return (await claimDueEntries(database.pool, request)).entries;
  };
  const lostLeases = async (): Promise<number> => (await metrics.outboxLostLease.get()).values[0]?.value ?? 0;
  const published = async (): Promise<number> => (await metrics.outboxPublished.get()).values[0]?.value ?? 0;
  const statuses = async (): Promise<string[]> => (await outboxRows(database.pool)).map(({ status }) => status);
  const idsOf = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id);

  describe('claims', () => {
    it('oldest first, as many as a batch may hold', async () => {
      const events = await givenEvents(database.pool, 5);
      const publisher = publisherTo(broker, { OUTBOX_BATCH_SIZE: '2' });
      await expect(publisher.runOnce()).resolves.toBe(0); // a full claim: there may be more
      expect(idsOf(broker.received)).toEqual(idsOf(events.slice(0, 2)));
      await publisher.runOnce();
      await publisher.runOnce();
      expect(idsOf(broker.received)).toEqual(idsOf(events));
      await expect(statuses()).resolves.toEqual(Array.from({ length: 5 }, () => 'PUBLISHED'));
      await expect(published()).resolves.toBe(5);
    });

    it('until the next event would begin beyond the bytes that may be held at once, and always one', async () => {
      const events = await givenEvents(database.pool, 5);
      await database.pool.query('update events set size_bytes = 400');
      for (const [maxBytes, expected] of [
        [1_000, events.slice(0, 3)],
        [1, events.slice(3, 4)],
        [1_000, events.slice(4)],
      ] as const) {
        const entries = await claim({ token: randomUUID(), limit: 10, maxBytes });
        expect(idsOf(entries.map(({ event }) => event))).toEqual(idsOf(expected));
      }
      await expect(statuses()).resolves.toEqual(Array.from({ length: 5 }, () => 'IN_FLIGHT'));
    });

    it('goes on at once after a claim that its bytes have ended', async () => {
      await givenEvents(database.pool, 5);
      await database.pool.query('update events set size_bytes = 9000000');
      const publisher = publisherTo(broker);
      await expect(publisher.runOnce()).resolves.toBe(0);
      await expect(published()).resolves.toBe(2);
      await publisher.runOnce();
      await publisher.runOnce();
      await expect(published()).resolves.toBe(5);
    });

    it("I10: closes an entry whose event is gone, so that it stands in nobody's way", async () => {
      const gone = await givenEvent(database.pool);
      await database.pool.query('delete from events where id = $1', [gone.id]);
      const event = await givenEvent(database.pool);
      const publisher = publisherTo(broker, { OUTBOX_BATCH_SIZE: '1' });
      await expect(publisher.runOnce()).resolves.toBe(0);
      await publisher.runOnce();
      expect(idsOf(broker.received)).toEqual([event.id]);
      await expect(outboxRows(database.pool)).resolves.toMatchObject([
        { status: 'FAILED', lastError: 'its event is not stored any more' },
        { status: 'PUBLISHED' },
      ]);
    });

    it('in the order of the index of open entries, whatever the statistics say', async () => {
      await givenEvents(database.pool, 50);
      const plan = await inTransaction(database.pool, async (db) => {
        await db.query(CLAIM_SETTINGS);
        const request = { token: randomUUID(), limit: 1000, maxBytes: MAX_BYTES, leaseSeconds: LEASE_SECONDS };
        const { text, values } = claimStatement(request);
        const { rows } = await db.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${text}`, values);
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      });
      const due = /CTE due\n\s+-> +Limit\n\s+-> +LockRows\n\s+-> +Merge Append\n\s+Sort Key: outbox.id\n/;
      expect(plan).toMatch(due);
      expect(plan).not.toMatch(/(Seq|Bitmap Heap) Scan on (outbox|events)/);
    });

    it('nothing that is published, failed, leased or not yet due', async () => {
      for (const status of ['PUBLISHED', 'FAILED', 'IN_FLIGHT'] as const) {
        await setEntries(database.pool, [await givenEvent(database.pool)], status);
      }
      const waiting = await givenEvent(database.pool);
      await database.pool.query(`update outbox set next_attempt_at = now() + interval '1 hour' where event_id = $1`, [
        waiting.id,
      ]);
      const due = await givenEvent(database.pool);
      await publisherTo(broker).runOnce();
      expect(idsOf(broker.received)).toEqual([due.id]);
    });

    it('nothing at all while the broker cannot take it (I9)', async () => {
      const event = await givenEvent(database.pool);
      broker.ready = false;
      await expect(publisherTo(broker).runOnce()).resolves.toBeGreaterThan(0);
      await expect(outboxRows(database.pool, event)).resolves.toMatchObject([{ status: 'PENDING', lockOwner: null }]);
      broker.ready = true;
      await publisherTo(broker).runOnce();
      await expect(statuses()).resolves.toEqual(['PUBLISHED']);
    });

    it('with longer and longer waits while there is nothing, and short ones after there was', async () => {
      const publisher = publisherTo(broker);
      const waits: number[] = [];
      for (let i = 0; i < 8; i++) waits.push(await publisher.runOnce());
      expect(waits).toEqual([5, 10, 20, 40, 80, 160, 200, 200]);
      await givenEvent(database.pool);
      expect([await publisher.runOnce(), await publisher.runOnce()]).toEqual([5, 5]);
    });
  });

  it('I3: marks PUBLISHED only what the broker confirmed', async () => {
    const answers: PublishOutcome[] = ['confirmed', 'unconfirmed', 'unroutable', 'refused', 'confirmed'];
    const events = await givenEvents(database.pool, answers.length);
    broker.answer = ({ id }) => answers[idsOf(events).indexOf(id)] as PublishOutcome;
    await publisherTo(broker).runOnce();
    await expect(outboxRows(database.pool)).resolves.toMatchObject([
      { status: 'PUBLISHED', lastError: null, closedAt: expect.any(String) as string },
      { status: 'PENDING', attempts: 0, lockOwner: null, lastError: 'the broker did not answer', nextAttemptAt: null },
      { status: 'PENDING', attempts: 1, lockOwner: null, lastError: 'the broker has no queue for it', closedAt: null },
      {
        status: 'PENDING',
        attempts: 0,
        lockOwner: null,
        lastError: 'the broker could not take it now',
        closedAt: null,
      },
      { status: 'PUBLISHED', lastError: null },
    ]);
    await expect(published()).resolves.toBe(2);
  });

  it.each(['unroutable', 'refused'] as const)(
    'an entry that was %s rests, and is then tried again',
    async (outcome) => {
      const event = await givenEvent(database.pool);
      const publisher = publisherTo(broker);
      broker.answer = () => outcome;
      await publisher.runOnce();
      await publisher.runOnce();
      expect(broker.received).toHaveLength(1);
      await expect(countRows(database.pool, 'outbox where next_attempt_at > now()')).resolves.toBe(1);
      await letPass(database.pool, 3);
      broker.answer = () => 'confirmed';
      await publisher.runOnce();
      await expect(outboxRows(database.pool, event)).resolves.toMatchObject([{ status: 'PUBLISHED', lastError: null }]);
    },
  );

  it('I9: a broker that confirms nothing costs no attempt, fails nothing, and gets everything when it recovers', async () => {
    const events = await givenEvents(database.pool, 20);
    const publisher = publisherTo(broker);
    broker.answer = () => 'unconfirmed';
    for (let i = 0; i < 10; i++) await publisher.runOnce();
    expect(broker.received.length).toBeLessThan(30); // it does not go on as if nothing were wrong
    const rows = await outboxRows(database.pool);
    expect(new Set(rows.map(({ status, attempts }) => `${status} ${attempts}`))).toEqual(new Set(['PENDING 0']));
    broker.answer = () => 'confirmed';
    await eventually(async () => {
      await publisher.runOnce();
      expect(new Set(await statuses())).toEqual(new Set(['PUBLISHED']));
    });
    expect(idsOf(broker.received.slice(-20))).toEqual(idsOf(events));
  });

  describe('several publishers', () => {
    it('share the outbox without publishing anything twice', async () => {
      const events = await givenEvents(database.pool, 300);
      const publishers = Array.from({ length: 4 }, () => publisherTo(broker, { OUTBOX_BATCH_SIZE: '7' }));
      await Promise.all(
        publishers.map(async (publisher) => {
          while ((await publisher.runOnce()) === 0); // 0: its claim was full
        }),
      );
      while (await countRows(database.pool, 'outbox where closed_at is null')) await publishers[0]?.runOnce();
      expect(idsOf(broker.received).sort()).toEqual(idsOf(events).sort());
      await expect(lostLeases()).resolves.toBe(0);
      await expect(published()).resolves.toBe(300);
    });

    it('claim with a fresh token each time, even at the same moment', async () => {
      await givenEvents(database.pool, 20);
      const claims = await Promise.all(
        ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'].map((token) =>
          claim({ token, limit: 20 }),
        ),
      );
      const ids = claims.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('I10: do not wait for a claim that has not committed, as of a publisher that hangs in the middle of it', async () => {
      const events = await givenEvents(database.pool, 20);
      const hanging = await database.pool.connect();
      try {
        await hanging.query('begin');
        const [first, second] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
        const asked = { limit: 10, maxBytes: MAX_BYTES, leaseSeconds: LEASE_SECONDS };
        await hanging.query(claimStatement({ ...asked, leaseSeconds: LEASE_SECONDS, token: first }));
        const others = await withinDeadline(5_000, claim({ token: second, limit: 10 }));
        expect(others.map(({ event }) => event.id)).toEqual(idsOf(events.slice(10)));
      } finally {
        await hanging.query('rollback');
        hanging.release();
      }
    });

    it('I4: one whose lease expired cannot mark the entry published, and the lost lease is counted', async () => {
      const event = await givenEvent(database.pool);
      broker.answer = async (): Promise<PublishOutcome> => {
        // While this one waits for the confirm, its lease expires and another publisher takes the entry over.
        await expireLeases(database.pool);
        const other = await claim({ token: '00000000-0000-4000-8000-000000000003', limit: 10 });
        expect(other).toHaveLength(1);
        return 'confirmed';
      };
      await publisherTo(broker).runOnce();
      await expect(outboxRows(database.pool, event)).resolves.toMatchObject([
        { status: 'IN_FLIGHT', lockOwner: '00000000-0000-4000-8000-000000000003', closedAt: null },
      ]);
      await expect(lostLeases()).resolves.toBe(1);
      await expect(published()).resolves.toBe(0);
    });

    it('I4: one whose lease expired cannot give the entry back either', async () => {
      const event = await givenEvent(database.pool);
      const other = publisherTo(new ScriptedBroker());
      broker.answer = async (): Promise<PublishOutcome> => {
        await expireLeases(database.pool);
        await other.runOnce();
        return 'refused';
      };
      await publisherTo(broker).runOnce();
      await expect(outboxRows(database.pool, event)).resolves.toMatchObject([
        { status: 'PUBLISHED', attempts: 0, lastError: null },
      ]);
    });

    it('leave a lease alone while it lasts, and take it over when it has run out', async () => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'IN_FLIGHT'); // its holder was killed
      const publisher = publisherTo(broker);
      await letPass(database.pool, LEASE_SECONDS - 5);
      await publisher.runOnce();
      expect(broker.received).toHaveLength(0);
      await letPass(database.pool, 6);
      await publisher.runOnce();
      expect(idsOf(broker.received)).toEqual([event.id]);
      await expect(statuses()).resolves.toEqual(['PUBLISHED']);
    });
  });
});
