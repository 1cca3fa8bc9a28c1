import { countOnly } from '../../../src/admin/erasures/erasure-acts';
import { stepErasure } from '../../../src/admin/erasures/erasure-loop';
import { stepPhase } from '../../../src/admin/erasures/erasure-step';
import { insertErasure } from '../../../src/admin/erasures/erasure.queries';
import {
  ERASURE_PHASES,
  sumOfCounts,
  type ErasureCounts,
  type ErasureSelection,
} from '../../../src/admin/erasures/erasure';
import { StatisticsRenewal } from '../../../src/admin/erasures/statistics/statistics-renewal';
import { inTransaction } from '../../../src/db/pool';
import type { Event } from '../../../src/event/event';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';
import { lockForResubmission, markResubmitted } from '../../../src/rejections/settle-rejections.queries';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { prepared } from '../../support/events';
import { eventually } from '../../support/eventually';
import { tablesWith } from '../../support/everything-stored';
import { useDatabase } from '../../support/fixtures/database';
import { givenEvent } from '../../support/rows';

const SECRET = 'Ada Lovelace, 4 St James’s Square';
const SUBJECT = 'customer-17';
const OF_SUBJECT: ErasureSelection = { tenantId: 'acme', subject: SUBJECT, eventIds: null, before: null };

describe('an erasure of rejections', () => {
  const database = useDatabase();

  const givenRejection = async (id = uuidV7()): Promise<string> => {
    await database.pool.query(
      `insert into rejections (id, tenant_id, endpoint, code, message, correlation_id, received_at, size_bytes, digest, body)
       values ($1, 'acme', 'event', 'invalid-event', $2, 'c-1', now(), 1, '', $3)`,
      [id, SECRET, Buffer.from(JSON.stringify({ subject: SUBJECT, name: SECRET }))],
    );
    return id;
  };
  const givenErasure = async (): Promise<string> => {
    const id = uuidV7();
    const facts = { note: null, requestedBy: 'ada', correlationId: 'c-1', below: id };
    await insertErasure(database.pool, { id, ...OF_SUBJECT, ...facts });
    await database.pool.query(`update erasures set created_at = created_at - interval '3 seconds' where id = $1`, [id]);
    return id;
  };
  /** Stores the event that a rejection becomes. Its subject was corrected, so it is not the one that is erased. */
  const resubmitted = (): Promise<Event> =>
    givenEvent(database.pool, { subject: 'corrected', payload: { name: SECRET, at: uuidV7() } });
  /** Lets the erasure make all steps that it may make now. */
  const walked = async (id: string): Promise<void> => {
    for (;;) {
      const result = await inTransaction(
        database.pool,
        (db) => stepErasure(db, id),
        (step) => step !== 'moved',
      );
      if (result === 'ended') return;
    }
  };
  const carriedOut = async (id: string): Promise<ErasureCounts> => {
    await walked(id);
    await database.pool.query(`update erasures set created_at = created_at - interval '90 seconds' where id = $1`, [
      id,
    ]);
    await walked(id);
    await new StatisticsRenewal(database.pool).runOnce();
    const { rows } = await database.pool.query<{ counts: Partial<ErasureCounts> }>(
      'select counts from erasures where id = $1',
      [id],
    );
    return sumOfCounts(rows[0]?.counts ?? {}, {});
  };
  const counted = async (below: string): Promise<ErasureCounts> => {
    const acts = countOnly();
    let counts = sumOfCounts({}, {});
    for (const phase of ERASURE_PHASES) {
      const step = await stepPhase(
        database.pool,
        phase,
        { ...OF_SUBJECT, below, position: uuidV7Floor(0), most: 200 },
        acts,
      );
      counts = sumOfCounts(counts, step?.counts ?? {});
    }
    return counts;
  };

  it('erases the event that a rejection becomes while the erasure waits for the resubmission', async () => {
    const rejectionId = await givenRejection();
    const erasureId = await givenErasure();
    let erasing: Promise<ErasureCounts> | undefined;
    await inTransaction(database.pool, async (db) => {
      await expect(lockForResubmission(db, [rejectionId], 'OPEN')).resolves.toEqual([rejectionId]);
      erasing = carriedOut(erasureId);
      await eventually(async () => {
        const { rows } = await database.pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        expect(rows.length).toBeGreaterThan(0);
      });
      const event = await resubmitted();
      await markResubmitted(db, [{ id: rejectionId, eventId: event.id, duplicate: false }]);
    });
    await expect(erasing).resolves.toMatchObject({ rejections: 1, events: 1, discarded: 1 });
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('erases once the event that two rejections became, as its dry run says', async () => {
    const rejectionIds = [await givenRejection(), await givenRejection()];
    const event = await givenEvent(database.pool, { subject: SUBJECT, payload: { name: SECRET, at: uuidV7() } });
    const other = await resubmitted();
    await markResubmitted(
      database.pool,
      rejectionIds.map((id) => ({ id, eventId: event.id, duplicate: true })),
    );
    await markResubmitted(database.pool, [{ id: await givenRejection(), eventId: other.id, duplicate: false }]);
    const erasureId = await givenErasure();
    const preview = await counted(erasureId);
    expect(preview).toMatchObject({ rejections: 3, events: 2, discarded: 2 });
    await expect(carriedOut(erasureId)).resolves.toEqual(preview);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('looks again for what is committed after its first look', async () => {
    const late = prepared({ subject: SUBJECT, payload: { name: SECRET, at: uuidV7() } });
    const lateRejection = uuidV7();
    const erasureId = await givenErasure();
    const statusOf = async (): Promise<object[]> =>
      (await database.pool.query<object>('select status from erasures where id = $1', [erasureId])).rows;
    await walked(erasureId);
    await storeBatch(database.pool, [late]);
    await givenRejection(lateRejection);
    await expect(statusOf()).resolves.toEqual([{ status: 'RUNNING' }]);
    await expect(carriedOut(erasureId)).resolves.toMatchObject({ rejections: 1, events: 1 });
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
    await expect(statusOf()).resolves.toEqual([{ status: 'DONE' }]);
  });

  it('leaves nothing to resubmit', async () => {
    const rejectionId = await givenRejection();
    await carriedOut(await givenErasure());
    await inTransaction(database.pool, async (db) => {
      await expect(lockForResubmission(db, [rejectionId], 'OPEN')).resolves.toEqual([]);
      await expect(lockForResubmission(db, [rejectionId], 'DISCARDED')).resolves.toEqual([]);
    });
  });
});
