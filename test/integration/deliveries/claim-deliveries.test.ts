import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Event } from '../../../src/event/event';
import {
  claimDeliveries,
  claimDeliveriesStatement,
  DELIVERY_CLAIM_SETTINGS,
  type DeliveryClaim,
} from '../../../src/delivery-state/claim-deliveries.queries';
import { releaseDeliveries } from '../../../src/delivery-state/settle-deliveries.queries';
import { eventually } from '../../support/eventually';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { givenFailures, givenQueued, givenReceiver } from '../../support/queued-deliveries';
import { givenEvents } from '../../support/rows';

const MANY_BYTES = 1_000_000_000;

describe('a claim of deliveries', () => {
  const database = useDatabase();
  beforeEach(async () => {
    await removeEvents(database.pool);
    await database.pool.query('truncate deliveries, delivery_queue, destination_failures, destinations');
  });

  const claim = (
    requests: readonly [destinationId: string, free: number][],
    { lease = randomUUID(), maxBytes = MANY_BYTES } = {},
  ): Promise<DeliveryClaim> =>
    claimDeliveries(
      database.pool,
      requests.map(([destinationId, free]) => ({ destinationId, free, leaseSeconds: 30 })),
      lease,
      maxBytes,
    );
  const idsOf = ({ deliveries }: DeliveryClaim): string[] => deliveries.map(({ eventId }) => eventId);

  it('takes the oldest of each destination, as many as it has places for', async () => {
    const [a, b] = [await givenReceiver(database.pool), await givenReceiver(database.pool)];
    const events = await givenEvents(database.pool, 5);
    await givenQueued(database.pool, a, events);
    await givenQueued(database.pool, b, events.slice(0, 2), { attempts: 3, tries: 2 });
    const lease = randomUUID();
    const { deliveries, orphans, cut } = await claim(
      [
        [a, 3],
        [b, 8],
      ],
      { lease },
    );
    expect({ orphans, cut }).toEqual({ orphans: [], cut: false });
    const of = (id: string) => deliveries.filter(({ destinationId }) => destinationId === id);
    expect(of(a).map(({ eventId }) => eventId)).toEqual(events.slice(0, 3).map(({ id }) => id));
    expect(of(b)).toMatchObject([
      { lease, generation: 1, attempts: 3, tries: 2, probes: false, event: { id: events[0]?.id, tenantId: 'acme' } },
      { eventId: events[1]?.id },
    ]);
    expect(JSON.parse(String(of(b)[0]?.event.body))).toMatchObject({ id: events[0]?.id, payload: { amount: 10 } });
    const { rows } = await database.pool.query(
      `select count(*)::int as n from delivery_queue
        where lease = $1 and due_at between now() + interval '25 s' and now() + interval '31 s'`,
      [lease],
    );
    expect(rows).toEqual([{ n: 5 }]);
    await expect(claim([[a, 8]]).then(idsOf)).resolves.toEqual(events.slice(3).map(({ id }) => id));
  });

  it('takes what was given back unsent before the deliveries that came after it', async () => {
    const a = await givenReceiver(database.pool);
    const events = await givenEvents(database.pool, 5);
    await givenQueued(database.pool, a, events);
    await database.pool.query(
      `update deliveries d set created_at = q.due_at from delivery_queue q where q.event_id = d.event_id`,
    );
    const first = await claim([[a, 2]]);
    await releaseDeliveries(
      database.pool,
      first.deliveries.map((delivery) => ({ ...delivery, waitSeconds: 0 })),
    );
    await expect(claim([[a, 8]]).then(idsOf)).resolves.toEqual(events.map(({ id }) => id));
  });

  it('ends once the events reach the limit of bytes, and says that more are due', async () => {
    const a = await givenReceiver(database.pool);
    const events = await givenEvents(database.pool, 3);
    await givenQueued(database.pool, a, events);
    const sizeBytes = events[0]?.sizeBytes ?? 0;
    const first = await claim([[a, 8]], { maxBytes: sizeBytes + 1 });
    expect(first.cut).toBe(true);
    expect(first.deliveries).toHaveLength(2);
    const second = await claim([[a, 8]], { maxBytes: sizeBytes + 1 });
    expect(second).toMatchObject({ cut: false, deliveries: [{ eventId: events[2]?.id }] });
  });

  it('waits for the tables in the order in which retention locks them', async () => {
    const a = await givenReceiver(database.pool);
    await givenQueued(database.pool, a, await givenEvents(database.pool, 1));
    const retention = await database.pool.connect();
    try {
      await retention.query(`begin; set local lock_timeout = '1s'; lock table only events in access exclusive mode`);
      const claimed = claim([[a, 1]]);
      await eventually(async () => {
        const { rows } = await retention.query('select from pg_locks where not granted');
        expect(rows).not.toHaveLength(0);
      });
      await retention.query('lock table only deliveries in access exclusive mode');
      await retention.query('commit');
      expect((await claimed).deliveries).toHaveLength(1);
    } finally {
      retention.release();
    }
  });

  it('gives each delivery to one of many claims at once', async () => {
    const a = await givenReceiver(database.pool);
    const events = await givenEvents(database.pool, 40);
    await givenQueued(database.pool, a, events);
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim([[a, 5]])));
    const rest = await claim([[a, 40]]);
    expect([...claims, rest].flatMap(idsOf).sort()).toEqual(events.map(({ id }) => id).sort());
  });

  it('takes over a delivery once its lease has expired', async () => {
    const a = await givenReceiver(database.pool);
    const events = await givenEvents(database.pool, 2);
    await givenQueued(database.pool, a, events.slice(0, 1), { lease: randomUUID(), dueInSeconds: -1 });
    await givenQueued(database.pool, a, events.slice(1), { lease: randomUUID(), dueInSeconds: 10 });
    await expect(claim([[a, 8]]).then(idsOf)).resolves.toEqual([events[0]?.id]);
  });

  it('probes an open circuit with one delivery in the whole installation', async () => {
    const a = await givenReceiver(database.pool);
    await givenFailures(database.pool, a, { openForSeconds: -1 });
    await givenQueued(database.pool, a, await givenEvents(database.pool, 10));
    const claims = await Promise.all(Array.from({ length: 6 }, () => claim([[a, 5]])));
    const taken = claims.flatMap(({ deliveries }) => deliveries);
    expect(taken).toMatchObject([{ probes: true }]);
    await expect(claim([[a, 5]])).resolves.toMatchObject({ deliveries: [] });
  });

  it('does not move the time of the next probe while nothing is due', async () => {
    const a = await givenReceiver(database.pool);
    await givenFailures(database.pool, a, { openForSeconds: -1 });
    await givenQueued(database.pool, a, await givenEvents(database.pool, 1), { dueInSeconds: 60 });
    await expect(claim([[a, 5]])).resolves.toMatchObject({ deliveries: [] });
    const { rows } = await database.pool.query('select open_until < now() as due from destination_failures');
    expect(rows).toEqual([{ due: true }]);
  });

  it('gives back the rows of the queue whose event is no longer stored', async () => {
    const a = await givenReceiver(database.pool);
    const [gone, there] = (await givenEvents(database.pool, 2)) as [Event, Event];
    await givenQueued(database.pool, a, [gone, there]);
    await database.pool.query('delete from events where id = $1', [gone.id]);
    await expect(claim([[a, 8]])).resolves.toMatchObject({
      orphans: [{ eventId: gone.id, destinationId: a, generation: 1 }],
      deliveries: [{ eventId: there.id }],
    });
  });

  it('reads a whole backlog neither to lease a few of it nor to mark them', async () => {
    const a = await givenReceiver(database.pool);
    const [event] = (await givenEvents(database.pool, 1)) as [Event];
    const client = await database.pool.connect();
    try {
      await client.query(`begin; ${DELIVERY_CLAIM_SETTINGS}`);
      await client.query(
        `insert into delivery_queue (event_id, destination_id, generation, due_at)
         select $1, $2, n, now() - interval '1 minute' from generate_series(1, 20000) n`,
        [event.id, a],
      );
      await client.query('analyze delivery_queue');
      const { text, values } = claimDeliveriesStatement(
        [{ destinationId: a, free: 8, leaseSeconds: 30 }],
        randomUUID(),
        MANY_BYTES,
      );
      const { rows } = await client.query<{ 'QUERY PLAN': string }>({ text: `explain ${text}`, values });
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).not.toMatch(
        /Hash Join|Merge Join|Seq Scan on (?!database_history)/,
      );
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('never finds a delivery by the backlog of its destination, whatever the statistics say', async () => {
    const client = await database.pool.connect();
    try {
      // Without the key, PostgreSQL takes any other index that it can.
      await client.query(
        'begin; set local enable_seqscan = off; alter table delivery_queue drop constraint delivery_queue_pkey',
      );
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain select from delivery_queue where event_id = $1 and destination_id = $2 and generation = 1`,
        [randomUUID(), randomUUID()],
      );
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Seq Scan on delivery_queue/);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('reads the queue in the order of its index, and nothing else of it', async () => {
    const a = await givenReceiver(database.pool);
    const { text, values } = claimDeliveriesStatement(
      [{ destinationId: a, free: 8, leaseSeconds: 30 }],
      randomUUID(),
      MANY_BYTES,
    );
    const client = await database.pool.connect();
    await client.query(`begin; ${DELIVERY_CLAIM_SETTINGS}`);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>({ text: `explain ${text}`, values });
    await client.query('rollback');
    client.release();
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index.* Scan using delivery_queue_due on delivery_queue/);
    expect(plan).not.toMatch(/Seq Scan on (delivery_queue|deliveries|events|destination)/);
  });

  /** The plain rules, as a caller would say them. */
  interface Case {
    dueInSeconds: number;
    leased: boolean;
    circuit: 'none' | 'closed' | 'open' | 'probe due';
    paused: boolean;
    enabled: boolean;
  }
  const takes = ({ dueInSeconds, circuit, paused, enabled }: Case): boolean => {
    if (dueInSeconds > 0 || !enabled || paused) return false; // a lease that has not expired makes it due later
    return circuit !== 'open';
  };

  it('takes exactly what is due and whose destination is enabled, not paused, and not behind an open circuit', async () => {
    const cases = fc.record({
      dueInSeconds: fc.constantFrom(-3_600, -1, 30, 3_600),
      leased: fc.boolean(),
      circuit: fc.constantFrom('none', 'closed', 'open', 'probe due'),
      paused: fc.boolean(),
      enabled: fc.boolean(),
    } as const);
    await fc.assert(
      fc.asyncProperty(fc.array(cases, { minLength: 1, maxLength: 12 }), async (given) => {
        await database.pool.query('truncate deliveries, delivery_queue, destination_failures, destinations');
        const events = await givenEvents(database.pool, given.length);
        const ids: string[] = [];
        for (const [i, one] of given.entries()) {
          const id = await givenReceiver(database.pool, one);
          ids.push(id);
          const lease = one.leased ? randomUUID() : null;
          await givenQueued(database.pool, id, [events[i] as Event], { dueInSeconds: one.dueInSeconds, lease });
          const openForSeconds = { closed: null, open: 30, 'probe due': -1, none: null }[one.circuit];
          if (one.circuit !== 'none') await givenFailures(database.pool, id, { openForSeconds });
        }
        const { deliveries } = await claim(ids.map((id) => [id, 1]));
        const expected = given.flatMap((one, i) =>
          takes(one) ? [{ destinationId: ids[i], probes: one.circuit === 'probe due' }] : [],
        );
        const taken = deliveries.map(({ destinationId, probes }) => ({ destinationId, probes }));
        const byId = (a: { destinationId?: string }, b: { destinationId?: string }) =>
          String(a.destinationId).localeCompare(String(b.destinationId));
        expect(taken.sort(byId)).toEqual(expected.sort(byId));
      }),
      { numRuns: 40 },
    );
  });
});
