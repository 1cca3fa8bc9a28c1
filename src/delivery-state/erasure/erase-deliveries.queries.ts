import type { Db } from '../../db/pool';
import { ERASED_TEXT } from '../../event/erased-text';
import { hasSameKey, isSuperseded, keyOf } from '../delivery-keys';

const ERASED = `'${ERASED_TEXT}'`;

/** The deliveries that end with their event: open ones, and those that could be opened again. */
const ENDS = `d.event_id = any ($1::uuid[])
        and (d.status = 'OPEN' or d.status in ('FAILED', 'DISCARDED') and not ${isSuperseded('d')})`;

/**
 * Skips the deliveries of events that are being erased, for good: a SKIPPED delivery is never opened again. Takes the
 * lease from a worker that is sending one, so that it writes nothing about it afterwards. Counts them as closed in their
 * backfills. Returns their number.
 *
 * @arrow OPEN --> SKIPPED
 * @arrow FAILED --> SKIPPED
 * @arrow DISCARDED --> SKIPPED
 */
export async function skipErasedDeliveries(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ skipped: number }>(
    `with picked as materialized (
       select ${keyOf('d')} from deliveries d where ${ENDS} order by ${keyOf('d')} for update
     ), unqueued as (
       delete from delivery_queue q using picked where q.event_id = any ($1::uuid[]) and ${hasSameKey('q', 'picked')}
     ), closed as (
       update deliveries d
          set status = 'SKIPPED', last_reason_code = 'ERASED', settled_at = now(), failed_at = null
         from picked where d.event_id = any ($1::uuid[]) and ${hasSameKey('d', 'picked')}
       returning d.replay_id
     ), counted as materialized (
       select replay_id, count(*)::integer as n from closed where replay_id is not null group by replay_id
     ), held as materialized (
       select b.replay_id from counted join backfills b on b.replay_id = counted.replay_id
        order by b.replay_id for update of b
     ), summed as (
       update backfills b set closed = b.closed + counted.n
         from held join counted on counted.replay_id = held.replay_id where b.replay_id = held.replay_id
     )
     select count(*)::integer as skipped from closed`,
    [ids],
  );
  return rows[0]?.skipped ?? 0;
}

/** Counts the deliveries that skipErasedDeliveries would skip. */
export async function countErasedDeliveries(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(`select count(*)::integer as n from deliveries d where ${ENDS}`, [
    ids,
  ]);
  return rows[0]?.n ?? 0;
}

const HAS_ERROR = `event_id = any ($1::uuid[]) and last_error <> ${ERASED}`;
const HAS_EXCERPT = `event_id = any ($1::uuid[]) and response_excerpt <> ${ERASED}`;

/**
 * Replaces the texts of receivers about these events. The transaction has locked the events, so no attempt adds one.
 * Returns their number, without those of destinations.
 */
export async function eraseReceiverTexts(db: Db, ids: readonly string[]): Promise<number> {
  const errors = await db.query(
    `with locked as materialized (
       select ${keyOf('d')} from deliveries d where ${HAS_ERROR.replace('event_id', 'd.event_id')}
        order by ${keyOf('d')} for update
     )
     update deliveries d set last_error = ${ERASED} from locked
      where d.event_id = any ($1::uuid[]) and ${hasSameKey('d', 'locked')}`,
    [ids],
  );
  const excerpts = await db.query(`update delivery_attempts set response_excerpt = ${ERASED} where ${HAS_EXCERPT}`, [
    ids,
  ]);
  await db.query(
    `update destination_failures set last_error = ${ERASED} where destination_id = any (array(
       select f.destination_id from destination_failures f
        where f.last_error is not null
          and f.destination_id in (select d.destination_id from deliveries d where d.event_id = any ($1::uuid[]))
        order by f.destination_id for update))`,
    [ids],
  );
  return (errors.rowCount ?? 0) + (excerpts.rowCount ?? 0);
}

/** Counts the texts that eraseReceiverTexts would replace and count. */
export async function countReceiverTexts(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select ((select count(*) from deliveries where ${HAS_ERROR})
           + (select count(*) from delivery_attempts where ${HAS_EXCERPT}))::integer as n`,
    [ids],
  );
  return rows[0]?.n ?? 0;
}
