import { randomUUID } from 'node:crypto';
import { inTransaction } from '../../../src/db/pool';
import { claimDeliveries } from '../../../src/delivery-state/claim-deliveries.queries';
import { fillDeliveries } from '../../../src/delivery-state/fill-deliveries.queries';
import { recordDeliveries } from '../../../src/delivery-state/record-deliveries.queries';
import { reopenDeliveries, reviseDeliveries } from '../../../src/delivery-state/reopen-deliveries.queries';
import { settleAttempts } from '../../../src/delivery-state/settle-deliveries.queries';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { lockForRevision, setRevision } from '../../../src/event-state/revise-events.queries';
import { insertRevision } from '../../../src/revisions/revisions.queries';
import { givenCompleted } from '../../support/admin';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { eventually } from '../../support/eventually';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { givenRevision, REVISED_HASH } from '../../support/revisions';
import { countRows, givenState } from '../../support/rows';

const PAYLOAD = '{ "amount": 10.10 }';
const MANY_BYTES = 1_000_000_000;

describe('deliveries of a revised event', () => {
  const database = useDatabase();
  beforeEach(async () => {
    await removeEvents(database.pool);
    await database.pool.query('truncate deliveries, delivery_queue, destinations');
  });

  const claim = (destinationId: string, maxBytes = MANY_BYTES, lease = randomUUID()) =>
    claimDeliveries(database.pool, [{ destinationId, free: 8, leaseSeconds: 30 }], lease, maxBytes);
  const revise = (event: Event, revision = 2) =>
    inTransaction(database.pool, (db) => reviseDeliveries(db, event.id, revision));
  const revisions = async (): Promise<(number | null)[]> => {
    const { rows } = await database.pool.query<{ revision: number | null }>(
      'select revision from deliveries order by event_id, destination_id, generation',
    );
    return rows.map(({ revision }) => revision);
  };
  /** Its handlers are done, and it has a revision. */
  const givenRevised = async (): Promise<Event> => {
    const [event] = (await givenCompleted(database.pool, 1)) as [Event];
    await givenState(database.pool, event, { status: 'COMPLETED', dispatchNo: 1 });
    await givenRevision(database.pool, event, 2, PAYLOAD);
    return event;
  };

  it('carry it unless they have arrived or were skipped', async () => {
    const event = await givenRevised();
    const statuses = ['OPEN', 'FAILED', 'DISCARDED', 'DELIVERED', 'SKIPPED'] as const;
    const keys = [];
    for (const status of statuses) {
      const destinationId = await givenDestinationRow(database.pool);
      keys.push(await givenDelivery(database.pool, { eventId: event.id, destinationId, status }));
    }
    const failedBefore = await givenDestinationRow(database.pool);
    for (const [generation, status] of [
      [1, 'FAILED'],
      [2, 'DELIVERED'],
    ] as const)
      await givenDelivery(database.pool, { eventId: event.id, destinationId: failedBefore, generation, status });
    await expect(revise(event)).resolves.toEqual({ underWay: false, failed: [keys[1]] });
    expect(await revisions()).toEqual([2, 2, 2, null, null, null, null]);
    const [open] = (await claim(keys[0]?.destinationId as string)).deliveries;
    expect(open?.event).toMatchObject({ id: event.id, revision: 2 });
    expect(open?.event.body.toString()).toContain(`"payload":${PAYLOAD},"revision":2}`);
    expect(JSON.parse(String(open?.event.body))).toMatchObject({ hash: REVISED_HASH });
    await reopenDeliveries(database.pool, keys.slice(1, 3));
    for (const key of keys.slice(1, 3))
      expect((await claim(key.destinationId)).deliveries).toMatchObject([{ event: { revision: 2 } }]);
  });

  it('are not revised while a worker sends one', async () => {
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    await givenDelivery(database.pool, { eventId: event.id, destinationId });
    await claim(destinationId);
    await expect(revise(event)).resolves.toMatchObject({ underWay: true });
  });

  it('take the lease from a worker that has sent the payload before for too long: it then writes nothing', async () => {
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    const key = await givenDelivery(database.pool, { eventId: event.id, destinationId });
    const lease = randomUUID();
    await claim(destinationId, MANY_BYTES, lease);
    await database.pool.query(`update delivery_queue set due_at = now() - interval '1 second'`);
    await expect(revise(event)).resolves.toMatchObject({ underWay: false });
    const delivered = { status: 'DELIVERED', usesTry: false, exhausted: false, waitSeconds: 0 } as const;
    const answer = { reasonCode: 'PROCESSED', statusCode: 200, error: null, durationMs: 1, responseExcerpt: null };
    await expect(settleAttempts(database.pool, [{ ...key, lease, ...delivered, ...answer }], 'test')).resolves.toEqual(
      [],
    );
    expect((await claim(destinationId)).deliveries).toMatchObject([{ event: { id: event.id, revision: 2 } }]);
  });

  it('carry it even if a claim has looked at the queue before the revision was committed', async () => {
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    await givenDelivery(database.pool, { eventId: event.id, destinationId });
    // The claim waits here after its snapshot was taken, before it locks a row of the queue.
    await database.pool.query(
      `create function wait_here(boolean) returns boolean language plpgsql volatile as $$
         begin perform pg_advisory_xact_lock(42); return $1; end $$`,
    );
    await database.pool.query('alter table destinations rename to destinations_table');
    await database.pool.query(`create view destinations as select t.* from destinations_table t where wait_here(true)`);
    try {
      let claimed: ReturnType<typeof claim> | undefined;
      await inTransaction(database.pool, async (db) => {
        await db.query('select pg_advisory_xact_lock(42)');
        claimed = claim(destinationId);
        await eventually(async () =>
          expect(
            await countRows(database.pool, `pg_locks where locktype = 'advisory' and objid = 42 and not granted`),
          ).toBe(1),
        );
        await reviseDeliveries(db, event.id, 2);
      });
      expect((await claimed)?.deliveries).toMatchObject([{ event: { revision: 2 } }]);
    } finally {
      await database.pool.query('drop view destinations; drop function wait_here');
      await database.pool.query('alter table destinations_table rename to destinations');
    }
  });

  it('are recorded with the revision that the handlers had, beside events without one', async () => {
    const [plain] = (await givenCompleted(database.pool, 1)) as [Event];
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    const planned = [plain, event].map(({ id: eventId, tenantId, type }, i) => ({
      ...{ eventId, destinationId, tenantId, type, eventGeneration: 1, reserved: false },
      ...(i === 1 ? { revision: 2 } : {}),
    }));
    const lease = { token: randomUUID(), seconds: 30 };
    await inTransaction(database.pool, (db) => recordDeliveries(db, planned, lease));
    expect(await revisions()).toEqual([null, 2]);
    const { deliveries } = await claim(destinationId);
    expect(deliveries.map(({ event: { id, revision } }) => [id, revision])).toEqual([
      [plain.id, undefined],
      [event.id, 2],
    ]);
  });

  it('are filled with the newest revision', async () => {
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    const order = { replayId: uuidV7(), destinationId, eventIds: [event.id], dueAt: null, ratePerSecond: 10 };
    await fillDeliveries(database.pool, { ...order, deliveredToo: false });
    expect((await claim(destinationId)).deliveries).toMatchObject([{ event: { revision: 2 } }]);
  });

  it('are filled with a revision that is being made', async () => {
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    const order = { replayId: uuidV7(), destinationId, eventIds: [event.id], dueAt: null, ratePerSecond: 10 };
    let filling: Promise<unknown> | undefined;
    await inTransaction(database.pool, async (db) => {
      await lockForRevision(db, event.id);
      filling = inTransaction(database.pool, (other) => fillDeliveries(other, { ...order, deliveredToo: false }));
      const waits = `pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`;
      await eventually(async () => expect(await countRows(database.pool, waits)).toBe(1));
      await setRevision(db, event.id, 3);
      await expect(reviseDeliveries(db, event.id, 3)).resolves.toEqual({ underWay: false, failed: [] });
      const content = { payloadJson: PAYLOAD, hash: REVISED_HASH, sizeBytes: PAYLOAD.length };
      await insertRevision(db, { eventId: event.id, revision: 3, ...content, note: null, actor: 'ada' });
    });
    await filling;
    expect((await claim(destinationId)).deliveries).toMatchObject([{ event: { revision: 3 } }]);
  });

  it.each([
    ['is no longer stored', 'delete from event_revisions'],
    ['is erased', `update event_revisions set payload = 'null', erased_at = now()`],
  ])('leave the queue when the revision %s', async (_what, change) => {
    const event = await givenRevised();
    const destinationId = await givenDestinationRow(database.pool);
    const key = await givenDelivery(database.pool, { eventId: event.id, destinationId });
    await revise(event);
    await database.pool.query(change);
    await expect(claim(destinationId)).resolves.toMatchObject({ deliveries: [], orphans: [key] });
  });
});
