import { randomUUID } from 'node:crypto';
import type { PublishOutcome } from '../../../src/broker/broker';
import { withinDeadline } from '../../../src/runtime/deadline';
import { inTransaction } from '../../../src/db/pool';
import { claimDueEntries } from '../../../src/outbox/claim.queries';
import { LEASE_SETTINGS, leaseStatement } from '../../../src/outbox/lease-entries.queries';
import type { ClaimedEntry } from '../../../src/outbox/outbox-entry';
import { eventually } from '../../support/eventually';
import { LEASE_SECONDS, useOutbox } from '../../support/fixtures/outbox';
import { countRows, expireLeases, givenEvent, givenEvents, letPass, outboxRows, setEntries } from '../../support/rows';
import { talliesOf, totalOf } from '../../support/tallies';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

const MAX_BYTES = 1_000_000;

const outbox = useOutbox();
const { publisherTo } = outbox;

const claim = async (asked: { token: string; limit: number; maxBytes?: number }): Promise<ClaimedEntry[]> => {
  const request = { afterLane: '', without: [], maxBytes: MAX_BYTES, leaseSeconds: LEASE_SECONDS, ...asked };
  return (await claimDueEntries(outbox.pool, request)).entries;
};
const lostLeases = async (): Promise<number> => (await outbox.metrics.outboxLostLease.get()).values[0]?.value ?? 0;
const published = async (): Promise<number> => (await outbox.metrics.outboxPublished.get()).values[0]?.value ?? 0;
const statuses = async (): Promise<string[]> => (await outboxRows(outbox.pool)).map(({ status }) => status);
const idsOf = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id);

describe('the publisher', () => {
  it('claims the oldest entries first, up to the batch size', async () => {
    const events = await givenEvents(outbox.pool, 5);
    const publisher = publisherTo(outbox.broker, { OUTBOX_BATCH_SIZE: '2' });
    await expect(publisher.runOnce()).resolves.toBe(0); // a full claim: there may be more
    expect(idsOf(outbox.broker.received)).toEqual(idsOf(events.slice(0, 2)));
    await publisher.runOnce();
    await publisher.runOnce();
    expect(idsOf(outbox.broker.received)).toEqual(idsOf(events));
    await expect(statuses()).resolves.toEqual(Array.from({ length: 5 }, () => 'PUBLISHED'));
    await expect(published()).resolves.toBe(5);
  });

  it('measures how long each entry has waited in the outbox', async () => {
    await givenEvents(outbox.pool, 3);
    await letPass(outbox.pool, 100);
    await givenEvents(outbox.pool, 2);
    await publisherTo(outbox.broker).runOnce();
    await expect(talliesOf(outbox.metrics.durations.stages)).resolves.toEqual({ publish: 5 });
    const waited = await totalOf(outbox.metrics.durations.stages);
    expect(waited).toBeGreaterThanOrEqual(300);
    expect(waited).toBeLessThan(600);
  });

  it('claims at least one entry, and no more once the claimed payloads reach the byte limit', async () => {
    const events = await givenEvents(outbox.pool, 5);
    await outbox.pool.query('update events set size_bytes = 400');
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

  it('claims again at once after a claim that reached the byte limit', async () => {
    await givenEvents(outbox.pool, 5);
    await outbox.pool.query('update events set size_bytes = 9000000');
    const publisher = publisherTo(outbox.broker);
    await expect(publisher.runOnce()).resolves.toBe(0);
    await expect(published()).resolves.toBe(2);
    await publisher.runOnce();
    await publisher.runOnce();
    await expect(published()).resolves.toBe(5);
  });

  it('I10: closes an entry whose event was deleted, so that it blocks no other entry', async () => {
    const gone = await givenEvent(outbox.pool);
    await outbox.pool.query('delete from events where id = $1', [gone.id]);
    const event = await givenEvent(outbox.pool);
    const publisher = publisherTo(outbox.broker, { OUTBOX_BATCH_SIZE: '1' });
    await expect(publisher.runOnce()).resolves.toBe(0);
    await publisher.runOnce();
    expect(idsOf(outbox.broker.received)).toEqual([event.id]);
    await expect(outboxRows(outbox.pool)).resolves.toMatchObject([
      { status: 'FAILED', lastError: 'its event is no longer stored' },
      { status: 'PUBLISHED' },
    ]);
  });

  it('claims in the order of the open-entries index, even with stale statistics', async () => {
    await givenEvents(outbox.pool, 50);
    const plan = await inTransaction(outbox.pool, async (db) => {
      await db.query(LEASE_SETTINGS);
      const asked = { token: randomUUID(), afterLane: '', without: [], limit: 1000, leaseSeconds: LEASE_SECONDS };
      const { text, values } = leaseStatement(asked);
      const { rows } = await db.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${text}`, values);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    const inOrder = /-> +LockRows\n\s+-> +Merge Append\n\s+Sort Key: outbox(_\d+)?.id\n/g;
    expect(plan.match(inOrder)).toHaveLength(2);
    expect(plan).not.toMatch(/(Seq|Bitmap Heap) Scan on outbox/);
  });

  it('claims no entry that is published, failed, leased or not yet due', async () => {
    for (const status of ['PUBLISHED', 'FAILED', 'IN_FLIGHT'] as const) {
      await setEntries(outbox.pool, [await givenEvent(outbox.pool)], status);
    }
    const waiting = await givenEvent(outbox.pool);
    await outbox.pool.query(`update outbox set next_attempt_at = now() + interval '1 hour' where event_id = $1`, [
      waiting.id,
    ]);
    const due = await givenEvent(outbox.pool);
    await publisherTo(outbox.broker).runOnce();
    expect(idsOf(outbox.broker.received)).toEqual([due.id]);
  });

  it('I9: claims nothing while the broker cannot take it', async () => {
    const event = await givenEvent(outbox.pool);
    outbox.broker.ready = false;
    await expect(publisherTo(outbox.broker).runOnce()).resolves.toBeGreaterThan(0);
    await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([{ status: 'PENDING', lockOwner: null }]);
    outbox.broker.ready = true;
    await publisherTo(outbox.broker).runOnce();
    await expect(statuses()).resolves.toEqual(['PUBLISHED']);
  });

  it('doubles its wait up to 200 ms while the outbox is empty, and polls every 5 ms after it was not', async () => {
    const publisher = publisherTo(outbox.broker);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) waits.push(await publisher.runOnce());
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 200, 200]);
    await givenEvent(outbox.pool);
    expect([await publisher.runOnce(), await publisher.runOnce()]).toEqual([5, 5]);
  });

  it('I3: marks only confirmed entries PUBLISHED', async () => {
    const answers: PublishOutcome[] = ['confirmed', 'unconfirmed', 'unroutable', 'refused', 'confirmed'];
    const events = await givenEvents(outbox.pool, answers.length);
    outbox.broker.answer = ({ id }) => answers[idsOf(events).indexOf(id)] as PublishOutcome;
    await publisherTo(outbox.broker).runOnce();
    await expect(outboxRows(outbox.pool)).resolves.toMatchObject([
      { status: 'PUBLISHED', lastError: null, closedAt: expect.any(String) as string },
      {
        status: 'PENDING',
        attempts: 0,
        lockOwner: null,
        lastError: 'the broker did not confirm it in time',
        nextAttemptAt: null,
      },
      { status: 'PENDING', attempts: 1, lockOwner: null, lastError: 'the broker has no queue for it', closedAt: null },
      {
        status: 'PENDING',
        attempts: 0,
        lockOwner: null,
        lastError: 'the broker could not accept it at that time',
        closedAt: null,
      },
      { status: 'PUBLISHED', lastError: null },
    ]);
    await expect(published()).resolves.toBe(2);
  });

  it.each(['unroutable', 'refused'] as const)(
    'waits before it publishes an entry again that was %s',
    async (outcome) => {
      const event = await givenEvent(outbox.pool);
      const publisher = publisherTo(outbox.broker);
      outbox.broker.answer = () => outcome;
      await publisher.runOnce();
      await publisher.runOnce();
      expect(outbox.broker.received).toHaveLength(1);
      await expect(countRows(outbox.pool, 'outbox where next_attempt_at > now()')).resolves.toBe(1);
      await letPass(outbox.pool, 3);
      outbox.broker.answer = () => 'confirmed';
      await publisher.runOnce();
      await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([{ status: 'PUBLISHED', lastError: null }]);
    },
  );

  it('I9: uses no attempt and fails no entry while the broker confirms nothing, and publishes everything when it recovers', async () => {
    const events = await givenEvents(outbox.pool, 20);
    const publisher = publisherTo(outbox.broker);
    outbox.broker.answer = () => 'unconfirmed';
    for (let i = 0; i < 10; i++) await publisher.runOnce();
    expect(outbox.broker.received.length).toBeLessThan(30); // it does not go on as if nothing were wrong
    const rows = await outboxRows(outbox.pool);
    expect(new Set(rows.map(({ status, attempts }) => `${status} ${attempts}`))).toEqual(new Set(['PENDING 0']));
    outbox.broker.answer = () => 'confirmed';
    await eventually(async () => {
      await publisher.runOnce();
      expect(new Set(await statuses())).toEqual(new Set(['PUBLISHED']));
    });
    expect(idsOf(outbox.broker.received.slice(-20))).toEqual(idsOf(events));
  });
});

describe('several publishers', () => {
  it('share the outbox without publishing anything twice', async () => {
    const events = await givenEvents(outbox.pool, 300);
    const publishers = Array.from({ length: 4 }, () => publisherTo(outbox.broker, { OUTBOX_BATCH_SIZE: '7' }));
    await Promise.all(
      publishers.map(async (publisher) => {
        while ((await publisher.runOnce()) === 0); // 0: its claim was full
      }),
    );
    while (await countRows(outbox.pool, 'outbox where closed_at is null')) await publishers[0]?.runOnce();
    expect(idsOf(outbox.broker.received).sort()).toEqual(idsOf(events).sort());
    await expect(lostLeases()).resolves.toBe(0);
    await expect(published()).resolves.toBe(300);
  });

  it('never claim the same entry at the same moment', async () => {
    await givenEvents(outbox.pool, 20);
    const claims = await Promise.all(
      ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'].map((token) =>
        claim({ token, limit: 20 }),
      ),
    );
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('I10: do not wait for a publisher that hangs during its claim', async () => {
    const events = await givenEvents(outbox.pool, 20);
    const hanging = await outbox.pool.connect();
    try {
      await hanging.query('begin');
      const [first, second] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
      const asked = { afterLane: '', without: [], limit: 10 };
      await hanging.query(leaseStatement({ ...asked, leaseSeconds: LEASE_SECONDS, token: first }));
      const others = await withinDeadline(5_000, claim({ token: second, limit: 10 }));
      expect(others.map(({ event }) => event.id)).toEqual(idsOf(events.slice(10)));
    } finally {
      await hanging.query('rollback');
      hanging.release();
    }
  });

  it('I4: cannot mark an entry PUBLISHED after their lease on it expired, and count the lost lease', async () => {
    const event = await givenEvent(outbox.pool);
    outbox.broker.answer = async (): Promise<PublishOutcome> => {
      // While this one waits for the confirm, its lease expires and another publisher takes the entry over.
      await expireLeases(outbox.pool);
      const other = await claim({ token: '00000000-0000-4000-8000-000000000003', limit: 10 });
      expect(other).toHaveLength(1);
      return 'confirmed';
    };
    await publisherTo(outbox.broker).runOnce();
    await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([
      { status: 'IN_FLIGHT', lockOwner: '00000000-0000-4000-8000-000000000003', closedAt: null },
    ]);
    await expect(lostLeases()).resolves.toBe(1);
    await expect(published()).resolves.toBe(0);
  });

  it('I4: cannot release an entry after their lease on it expired', async () => {
    const event = await givenEvent(outbox.pool);
    const other = publisherTo(new ScriptedBroker());
    outbox.broker.answer = async (): Promise<PublishOutcome> => {
      await expireLeases(outbox.pool);
      await other.runOnce();
      return 'refused';
    };
    await publisherTo(outbox.broker).runOnce();
    await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([
      { status: 'PUBLISHED', attempts: 0, lastError: null },
    ]);
  });

  it('claim a leased entry only after its lease expired', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'IN_FLIGHT'); // its holder was killed
    const publisher = publisherTo(outbox.broker);
    await letPass(outbox.pool, LEASE_SECONDS - 5);
    await publisher.runOnce();
    expect(outbox.broker.received).toHaveLength(0);
    await letPass(outbox.pool, 6);
    await publisher.runOnce();
    expect(idsOf(outbox.broker.received)).toEqual([event.id]);
    await expect(statuses()).resolves.toEqual(['PUBLISHED']);
  });
});
