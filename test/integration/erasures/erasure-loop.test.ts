import { ErasureLoop } from '../../../src/admin/erasures/erasure-loop';
import { insertErasure } from '../../../src/admin/erasures/erasure.queries';
import { ADVISORY_LOCKS, shareTransactionLock } from '../../../src/db/advisory-locks';
import { inTransaction } from '../../../src/db/pool';
import { holdAttempts } from '../../../src/event-state/erasure/erase-states.queries';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';
import { eventually } from '../../support/eventually';
import { useDatabase } from '../../support/fixtures/database';
import { countRows, givenEvents } from '../../support/rows';

describe('the loop of erasures', () => {
  const database = useDatabase();

  /** An erasure of all events of a tenant until now. */
  const givenErasure = async (tenantId: string): Promise<string> => {
    const id = uuidV7();
    await insertErasure(database.pool, {
      ...{ id, tenantId, subject: null, eventIds: null, before: new Date().toISOString() },
      ...{ note: null, requestedBy: 'ada', correlationId: 'c-1', below: uuidV7Floor(Date.now() + 1_000) },
    });
    await database.pool.query(`update erasures set created_at = created_at - interval '1 hour' where id = $1`, [id]);
    return id;
  };
  const statusOf = async (id: string): Promise<string | undefined> => {
    const { rows } = await database.pool.query<{ status: string }>('select status from erasures where id = $1', [id]);
    return rows[0]?.status;
  };
  const unerasedOf = (tenantId: string): Promise<number> =>
    countRows(database.pool, `events where tenant_id = '${tenantId}' and erased_at is null`);
  /** Runs the loop until something holds. */
  const runUntil = (loop: ErasureLoop, holds: () => Promise<void>): Promise<void> =>
    eventually(async () => {
      await loop.runOnce();
      await holds();
    }, 60_000);

  it('goes on with the other erasures when one fails, and repeats that one', async () => {
    await givenEvents(database.pool, 3, {}, 'failing');
    await givenEvents(database.pool, 3, {}, 'other');
    await database.pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
       create trigger refuse before update on events for each row when (old.tenant_id = 'failing')
         execute function refuse()`,
    );
    const [failing, other] = [await givenErasure('failing'), await givenErasure('other')];
    const loop = new ErasureLoop(database.pool);
    await runUntil(loop, async () => expect(await statusOf(other)).toBe('DONE'));
    expect(await statusOf(failing)).toBe('RUNNING');
    expect(await unerasedOf('failing')).toBe(3);
    await database.pool.query('drop trigger refuse on events; drop function refuse()');
    await runUntil(loop, async () => expect(await statusOf(failing)).toBe('DONE'));
    expect(await unerasedOf('failing')).toBe(0);
  });

  it('waits only briefly while deliveries of stored events are being made, and erases afterwards', async () => {
    await givenEvents(database.pool, 2, {}, 'filled');
    const erasure = await givenErasure('filled');
    const loop = new ErasureLoop(database.pool);
    await inTransaction(database.pool, async (db) => {
      await shareTransactionLock(db, ADVISORY_LOCKS.storedPayloads, 1_000);
      const startedMs = performance.now();
      await loop.runOnce();
      expect(performance.now() - startedMs).toBeLessThan(10_000); // without a bound, as long as a statement may take
      expect(await unerasedOf('filled')).toBe(2);
    });
    await runUntil(loop, async () => expect(await statusOf(erasure)).toBe('DONE'));
    expect(await unerasedOf('filled')).toBe(0);
  });

  it('does not wait for an event that a worker holds, and erases the others meanwhile', async () => {
    const events = await givenEvents(database.pool, 4, {}, 'held');
    const held = events.at(-1)?.id as string;
    const erasure = await givenErasure('held');
    const loop = new ErasureLoop(database.pool);
    await inTransaction(
      database.pool,
      async (db) => {
        await holdAttempts(db, [held]); // opens an attempt, as a worker does before its handlers run
        await runUntil(loop, async () => expect(await unerasedOf('held')).toBe(1));
        expect(await statusOf(erasure)).toBe('RUNNING');
      },
      () => false,
    );
    await runUntil(loop, async () => expect(await statusOf(erasure)).toBe('DONE'));
    expect(await unerasedOf('held')).toBe(0);
  });
});
