import { randomUUID } from 'node:crypto';
import { inTransaction } from '../../../src/db/pool';
import type { PlannedDelivery, RecordedDelivery } from '../../../src/delivery-state/delivery';
import { recordDeliveries } from '../../../src/delivery-state/record-deliveries.queries';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { deliveryRows, givenCircuit, givenDestinationRow, queueRows } from '../../support/deliveries';
import { useDatabase } from '../../support/fixtures/database';

const SOME_TIME = expect.stringMatching(/^\d{4}-/) as string;

describe('recordDeliveries', () => {
  const database = useDatabase();
  const lease = { token: randomUUID(), seconds: 30 };
  let destinationId: string;
  beforeEach(async () => {
    await database.pool.query(
      'truncate deliveries, delivery_queue, destination_failures, destinations, handler_effects, event_state',
    );
    destinationId = await givenDestinationRow(database.pool);
  });

  const plan = (more: Partial<PlannedDelivery> = {}): PlannedDelivery => ({
    eventId: uuidV7(),
    destinationId,
    tenantId: 'acme',
    type: 'order.paid',
    eventGeneration: 1,
    reserved: true,
    ...more,
  });
  const record = (...planned: PlannedDelivery[]): Promise<RecordedDelivery[]> =>
    inTransaction(database.pool, (db) => recordDeliveries(db, planned, lease));
  const givenEffect = (eventId: string, handler: string, generation = 1): Promise<unknown> =>
    database.pool.query('insert into handler_effects (event_id, generation, handler) values ($1, $2, $3)', [
      eventId,
      generation,
      handler,
    ]);
  const givenAttempts = (eventId: string, attempts: number): Promise<unknown> =>
    database.pool.query(
      `insert into event_state (event_id, status, generation, dispatch_no, attempts)
       values ($1, 'DISPATCHED', 1, 2, $2)`,
      [eventId, attempts],
    );

  it('leases a reserved delivery: the queue row has the token and is due at the end of the lease', async () => {
    const one = plan();
    await expect(record(one)).resolves.toEqual([
      { eventId: one.eventId, destinationId, generation: 1, outcome: 'leased' },
    ]);
    await expect(deliveryRows(database.pool)).resolves.toEqual([
      {
        eventId: one.eventId,
        destinationId,
        generation: 1,
        tenantId: 'acme',
        type: 'order.paid',
        status: 'OPEN',
        attempts: 0,
        tries: 0,
        exhausted: false,
        lastReasonCode: null,
        lastStatusCode: null,
        lastError: null,
        replayId: null,
        settledAt: null,
        failedAt: null,
      },
    ]);
    const [queued] = await queueRows(database.pool);
    expect(queued).toMatchObject({ eventId: one.eventId, destinationId, generation: 1, lease: lease.token });
    expect(queued?.dueInSeconds).toBeGreaterThan(25);
    expect(queued?.dueInSeconds).toBeLessThanOrEqual(30);
  });

  it('begins a lease with the statement, however long the transaction took before', async () => {
    await inTransaction(database.pool, async (db) => {
      await db.query('select pg_sleep(3)');
      await recordDeliveries(db, [plan()], lease);
    });
    const [queued] = await queueRows(database.pool);
    expect(queued?.dueInSeconds).toBeGreaterThan(28);
  });

  it('queues a delivery without a reservation: due at once, and nobody holds it', async () => {
    const one = plan({ reserved: false });
    await expect(record(one)).resolves.toMatchObject([{ outcome: 'queued' }]);
    const [queued] = await queueRows(database.pool);
    expect(queued).toMatchObject({ eventId: one.eventId, lease: null });
    expect(queued?.dueInSeconds).toBeLessThanOrEqual(0);
  });

  it.each([
    ['is paused', 'update destinations set paused_at = now()'],
    ['has an open circuit', undefined],
  ])('queues a reserved delivery if its destination %s', async (_, change) => {
    if (change) await database.pool.query(change);
    else await givenCircuit(database.pool, destinationId, { openForSeconds: 60 });
    await expect(record(plan())).resolves.toMatchObject([{ outcome: 'queued' }]);
    await expect(queueRows(database.pool)).resolves.toMatchObject([{ lease: null }]);
  });

  it('queues a reserved delivery if the circuit waits for its probe, which a claim must take', async () => {
    await givenCircuit(database.pool, destinationId, { openForSeconds: -1 });
    await expect(record(plan())).resolves.toMatchObject([{ outcome: 'queued' }]);
  });

  it('leases a reserved delivery if the newest answers were failures and the circuit is closed', async () => {
    await givenCircuit(database.pool, destinationId, { openForSeconds: null });
    await expect(record(plan())).resolves.toMatchObject([{ outcome: 'leased' }]);
  });

  it.each([
    ['disabled', 'update destinations set enabled = false', 'DESTINATION_DISABLED'],
    ['deleted', 'delete from destinations', 'DESTINATION_DELETED'],
  ])('records SKIPPED if the destination was %s in the meantime', async (_, change, lastReasonCode) => {
    await database.pool.query(change);
    await expect(record(plan())).resolves.toMatchObject([{ outcome: 'settled', generation: 1 }]);
    await expect(deliveryRows(database.pool)).resolves.toMatchObject([
      { status: 'SKIPPED', lastReasonCode, settledAt: SOME_TIME, failedAt: null },
    ]);
    await expect(queueRows(database.pool)).resolves.toEqual([]);
  });

  describe('carries over what the build before has delivered', () => {
    it('as DELIVERED, even if the destination is disabled now', async () => {
      const one = plan();
      await givenEffect(one.eventId, `destination:${destinationId}`);
      await database.pool.query('update destinations set enabled = false');
      await expect(record(one)).resolves.toMatchObject([{ outcome: 'settled' }]);
      await expect(deliveryRows(database.pool)).resolves.toMatchObject([
        { status: 'DELIVERED', attempts: 0, lastReasonCode: 'PROCESSED', settledAt: SOME_TIME, failedAt: null },
      ]);
      await expect(queueRows(database.pool)).resolves.toEqual([]);
    });

    it('as FAILED if the destination has refused the event', async () => {
      const one = plan();
      await givenAttempts(one.eventId, 2);
      await givenEffect(one.eventId, `destination-refused:${destinationId}`);
      await expect(record(one)).resolves.toMatchObject([{ outcome: 'settled' }]);
      await expect(deliveryRows(database.pool)).resolves.toMatchObject([
        { status: 'FAILED', lastReasonCode: 'HTTP_4XX', exhausted: false, settledAt: SOME_TIME, failedAt: SOME_TIME },
      ]);
    });

    it('but sends it again where an operator has retried the event since the refusal', async () => {
      const one = plan();
      await givenAttempts(one.eventId, 0);
      await givenEffect(one.eventId, `destination-refused:${destinationId}`);
      await expect(record(one)).resolves.toMatchObject([{ outcome: 'leased' }]);
    });

    it('but not what it delivered of another generation, to another destination, or as another event', async () => {
      const other = await givenDestinationRow(database.pool);
      const one = plan();
      await givenEffect(one.eventId, `destination:${destinationId}`, 2);
      await givenEffect(one.eventId, `destination:${other}`);
      await givenEffect(uuidV7(), `destination:${destinationId}`);
      await expect(record(one)).resolves.toMatchObject([{ outcome: 'leased' }]);
    });
  });

  it('makes the next generation of a reprocessed event, and leaves the earlier one as it is', async () => {
    const one = plan();
    await record(one);
    await database.pool.query(`update deliveries set status = 'FAILED', settled_at = now(), failed_at = now()`);
    await database.pool.query('delete from delivery_queue');
    await expect(record({ ...one, eventGeneration: 2 })).resolves.toMatchObject([{ generation: 2, outcome: 'leased' }]);
    const rows = await deliveryRows(database.pool);
    expect(rows.map(({ generation, status }) => [generation, status])).toEqual([
      [1, 'FAILED'],
      [2, 'OPEN'],
    ]);
    await expect(queueRows(database.pool)).resolves.toMatchObject([{ generation: 2 }]);
  });

  it('makes a first delivery of a reprocessed event if the destination is new', async () => {
    await expect(record(plan({ eventGeneration: 3 }))).resolves.toMatchObject([{ generation: 1, outcome: 'leased' }]);
  });

  it('makes the next generation after a backfill that came first, and the first one for the other events', async () => {
    const filled = plan();
    const fresh = plan();
    await database.pool.query(
      `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, replay_id)
       values ($1, $2, 1, 'acme', 'order.paid', 'OPEN', gen_random_uuid())`,
      [filled.eventId, destinationId],
    );
    const recorded = await record(filled, fresh);
    expect(recorded.find(({ eventId }) => eventId === filled.eventId)).toMatchObject({ generation: 2 });
    expect(recorded.find(({ eventId }) => eventId === fresh.eventId)).toMatchObject({ generation: 1 });
    await expect(queueRows(database.pool)).resolves.toHaveLength(2);
  });

  it('records a batch for several destinations in one statement, each with its own outcome', async () => {
    const paused = await givenDestinationRow(database.pool);
    const disabled = await givenDestinationRow(database.pool);
    await database.pool.query('update destinations set paused_at = now() where id = $1', [paused]);
    await database.pool.query('update destinations set enabled = false where id = $1', [disabled]);
    const batch = Array.from({ length: 50 }, () => uuidV7()).flatMap((eventId) =>
      [destinationId, paused, disabled].map((id) => plan({ eventId, destinationId: id })),
    );
    const outcomes = new Map((await record(...batch)).map((one) => [one.destinationId, one.outcome]));
    expect(outcomes).toEqual(
      new Map([
        [destinationId, 'leased'],
        [paused, 'queued'],
        [disabled, 'settled'],
      ]),
    );
    await expect(deliveryRows(database.pool)).resolves.toHaveLength(150);
    await expect(queueRows(database.pool)).resolves.toHaveLength(100);
  });

  it('looks up no partition of `deliveries` for first deliveries', async () => {
    await inTransaction(database.pool, async (db) => {
      await recordDeliveries(db, [plan()], lease);
      const { rows } = await db.query<{ relname: string }>(
        `select distinct c.relname from pg_locks l join pg_class c on c.oid = l.relation
          where l.pid = pg_backend_pid() and c.relkind = 'r' and c.relname like 'deliveries%'`,
      );
      expect(rows).toHaveLength(1); // the one that got the row
    });
  });
});
