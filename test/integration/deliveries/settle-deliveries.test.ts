import { randomUUID } from 'node:crypto';
import type { DeliveryLease, PlannedDelivery, RecordedDelivery } from '../../../src/delivery-state/delivery';
import type { Event } from '../../../src/event/event';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import type { Handler, UnfinishedResult } from '../../../src/worker/handler';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import type { DeliveryTaker } from '../../../src/worker/settle/pass-deliveries';
import { deliveryRows, givenDestinationRow, queueRows } from '../../support/deliveries';
import { eventually } from '../../support/eventually';
import { transactional } from '../../support/handlers';
import { attemptRows, countRows, delivered, givenEvent, givenEvents } from '../../support/rows';
import { settlerOf, WorkerDatabase, type TestSettler } from '../../support/settler';

/** Plans one delivery of each event to each destination, and remembers what it is told. */
class RecordingTaker implements DeliveryTaker {
  destinationIds: string[] = [];
  /** Places that are reserved and not given back. */
  held = 0;
  readonly leases: DeliveryLease[] = [];
  readonly handedOver: { rows: readonly RecordedDelivery[]; events: readonly DispatchedEvent[]; lease: string }[] = [];
  abandonedPasses = 0;

  async plan(events: readonly DispatchedEvent[]): Promise<readonly PlannedDelivery[]> {
    const planned = events.flatMap(({ id, tenantId, type, generation }) =>
      this.destinationIds.map((destinationId) => ({
        eventId: id,
        destinationId,
        tenantId,
        type,
        eventGeneration: generation,
        reserved: true,
      })),
    );
    this.held += planned.length;
    return Promise.resolve(planned);
  }

  keepsOrder(): boolean {
    return false;
  }

  newLease(): DeliveryLease {
    const lease = { token: randomUUID(), seconds: 30, sinceMs: Date.now() };
    this.leases.push(lease);
    return lease;
  }

  recorded(
    planned: readonly PlannedDelivery[],
    rows: readonly RecordedDelivery[],
    events: ReadonlyMap<string, DispatchedEvent>,
    lease: DeliveryLease,
  ): void {
    this.held -= planned.length;
    this.handedOver.push({ rows, events: [...events.values()], lease: lease.token });
  }

  abandoned(planned: readonly PlannedDelivery[]): void {
    this.held -= planned.length;
    this.abandonedPasses += 1;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

describe('the settler, when events have destinations', () => {
  const database = new WorkerDatabase();
  let taker: RecordingTaker;
  beforeEach(async () => {
    taker = new RecordingTaker();
    taker.destinationIds = [await givenDestinationRow(database.pool), await givenDestinationRow(database.pool)];
  });
  afterEach(() => {
    expect(taker.held).toBe(0);
  });
  const settler = (...handlers: Handler[]): TestSettler =>
    settlerOf(database.pool, [new UsageMeter(), ...handlers], { deliveries: taker });

  it('I7: records the deliveries of completed events with their success, and hands them over after the commit', async () => {
    const events = await givenEvents(database.pool, 3);
    await settler().settle(events.map((event) => delivered(event)));
    await expect(deliveryRows(database.pool)).resolves.toHaveLength(6);
    const [handed] = taker.handedOver;
    expect(handed?.rows).toHaveLength(6);
    expect(handed?.rows.every(({ outcome }) => outcome === 'leased')).toBe(true);
    expect(handed?.events.map(({ id }) => id).sort()).toEqual(events.map(({ id }) => id).sort());
    const leases = new Set((await queueRows(database.pool)).map(({ lease }) => lease));
    expect([...leases]).toEqual([handed?.lease]);
    expect(taker.leases).toHaveLength(1);
  });

  it('records none of an event that failed, and gives its places back', async () => {
    const [good, bad] = (await givenEvents(database.pool, 2)) as [Event, Event];
    const failing = transactional('failing', ['*'], (events) =>
      Promise.resolve(
        new Map<string, UnfinishedResult>(
          events.some(({ id }) => id === bad.id) ? [[bad.id, { kind: 'retry', reasonCode: 'TIMEOUT' }]] : [],
        ),
      ),
    );
    await settler(failing).settle([delivered(good), delivered(bad)]);
    expect(new Set((await deliveryRows(database.pool)).map(({ eventId }) => eventId))).toEqual(new Set([good.id]));
    expect(taker.abandonedPasses).toBe(1); // the pass that found the failure
    expect(taker.handedOver.map(({ events }) => events.map(({ id }) => id))).toEqual([[good.id]]);
    expect(new Set(taker.leases.map(({ token }) => token)).size).toBe(2); // a new lease for each transaction
    // Its retry completes it.
    await settler().settle([await database.nextDispatch(bad, 2)]);
    await expect(countRows(database.pool, `deliveries where event_id = '${bad.id}'`)).resolves.toBe(2);
  });

  it('records each event once when a batch is settled one by one', async () => {
    const events = await givenEvents(database.pool, 4);
    let calls = 0;
    const hanging = transactional(
      'hanging',
      ['*'],
      (batch) => {
        calls += 1;
        return batch.length > 1 ? new Promise<void>(() => undefined) : Promise.resolve();
      },
      100,
    );
    await settler(hanging).settle(events.map((event) => delivered(event)));
    expect(calls).toBeGreaterThan(4);
    await expect(deliveryRows(database.pool)).resolves.toHaveLength(8);
    expect(taker.handedOver).toHaveLength(4);
  });

  it('I11: records nothing for a stale dispatch', async () => {
    const event = await givenEvent(database.pool);
    await settler().settle([delivered(event)]);
    await settler().settle([delivered(event)]);
    await expect(deliveryRows(database.pool)).resolves.toHaveLength(2);
    expect(taker.handedOver.map(({ rows }) => rows.length)).toEqual([2, 0]);
  });

  it('I7: records each delivery once when two workers settle the same events', async () => {
    const events = await givenEvents(database.pool, 20);
    const batch = events.map((event) => delivered(event));
    await Promise.all([settler().settle(batch), settler().settle([...batch].reverse())]);
    await expect(deliveryRows(database.pool)).resolves.toHaveLength(40);
    expect(taker.handedOver.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(40);
  });

  it('repeats the pass when a backfill records a delivery of the event meanwhile', async () => {
    const event = await givenEvent(database.pool);
    const backfill = await database.pool.connect();
    try {
      await backfill.query('begin');
      const fill = (generation: number) =>
        backfill.query(
          `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status)
           values ($1, $2, $3, 'acme', 'order.paid', 'OPEN')`,
          [event.id, taker.destinationIds[0], generation],
        );
      await fill(1);
      await fill(2);
      const settled = settler().settle([delivered(event)]);
      const waiting = `pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await eventually(() => expect(countRows(database.pool, waiting)).resolves.toBe(1));
      await backfill.query('commit');
      await settled;
    } finally {
      backfill.release();
    }
    const generations = (await deliveryRows(database.pool)).map(({ destinationId, generation }) => [
      taker.destinationIds.indexOf(destinationId),
      generation,
    ]);
    expect(generations.sort()).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 1],
    ]);
    await expect(attemptRows(database.pool, event)).resolves.toHaveLength(1);
  });

  it('makes the next generation of deliveries when an event is reprocessed', async () => {
    const event = await givenEvent(database.pool);
    await settler().settle([delivered(event)]);
    await settler().settle([delivered(event, { dispatchNo: 2, generation: 2 })]);
    const generations = (await deliveryRows(database.pool)).map(({ generation }) => generation);
    expect(generations.sort()).toEqual([1, 1, 2, 2]);
  });

  it('settles nothing while the destinations cannot be read', async () => {
    const event = await givenEvent(database.pool);
    jest.spyOn(taker, 'plan').mockRejectedValueOnce(new Error('PostgreSQL is away'));
    await expect(settler().settle([delivered(event)])).rejects.toThrow('away');
    await expect(attemptRows(database.pool, event)).resolves.toEqual([]);
    await settler().settle([delivered(event)]);
    await expect(deliveryRows(database.pool)).resolves.toHaveLength(2);
  });

  it('gives the places back when the transaction fails', async () => {
    const event = await givenEvent(database.pool);
    await database.pool.query('alter table deliveries rename to deliveries_away');
    try {
      await settler()
        .settle([delivered(event)])
        .catch(() => undefined);
    } finally {
      await database.pool.query('alter table deliveries_away rename to deliveries');
    }
    expect(taker.handedOver.flatMap(({ rows }) => rows)).toEqual([]);
    expect(taker.abandonedPasses).toBeGreaterThan(0);
  });

  it('asks for no lease and no statement where nothing is planned', async () => {
    taker.destinationIds = [];
    await settler().settle([delivered(await givenEvent(database.pool))]);
    expect(taker.leases).toEqual([]);
    expect(taker.handedOver).toEqual([]);
  });
});
