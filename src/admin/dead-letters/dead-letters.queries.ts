import type { Db } from '../../db/pool';

export interface DeadLetter {
  id: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  firstFailedAt: string;
  lastFailedAt: string;
}

/** Reads the dead letters of these events, keyed by event id. */
export async function readDeadLetters(db: Db, ids: readonly string[]): Promise<Map<string, DeadLetter>> {
  const { rows } = await db.query<DeadLetter>(
    `select event_id as id, reason_code as "reasonCode", error_message as "errorMessage", attempts,
            first_failed_at as "firstFailedAt", last_failed_at as "lastFailedAt"
       from dead_letters where event_id = any ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

export interface ReasonGroup {
  reasonCode: string;
  errorMessage: string;
  count: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleEventIds: string[];
}

/** Maximum number of dead letters that `listReasons` counts, newest first. Bounds the time of its statement. */
const MOST_COUNTED = 50_000;
const SAMPLES_PER_REASON = 5;

/**
 * Groups unresolved dead letters by cause, most frequent first. A cause is the reason code and the error message with
 * its ids and numbers replaced (`failure_group` in the migrations). `total` counts the dead letters of all groups.
 * `capped` is true when the count stopped at MOST_COUNTED.
 */
export async function listReasons(
  db: Db,
  query: { tenantId: string | null; limit: number },
): Promise<{ reasons: ReasonGroup[]; total: number; capped: boolean }> {
  const { rows } = await db.query<ReasonGroup & { total: number }>(
    `with unresolved as materialized (
       select event_id, reason_code, message_group, first_failed_at, last_failed_at from dead_letters
        where resolved_at is null and ($1::text is null or tenant_id = $1)
        order by event_id desc limit $2
     ), groups as (
       select reason_code, message_group, count(*)::int as count, min(first_failed_at) as first_seen,
              max(last_failed_at) as last_seen, max(event_id::text) as newest
         from unresolved group by reason_code, message_group order by 3 desc, 1, 2 limit $3
     )
     select g.reason_code as "reasonCode", g.message_group as "errorMessage", g.count, g.first_seen as "firstSeenAt",
            g.last_seen as "lastSeenAt", (select count(*)::int from unresolved) as total,
            array(select u.event_id::text from unresolved u
                   where u.reason_code = g.reason_code and u.message_group = g.message_group limit ${SAMPLES_PER_REASON})
              as "sampleEventIds"
       from groups g order by g.count desc, g.reason_code, g.message_group`,
    [query.tenantId, MOST_COUNTED, query.limit],
  );
  const total = rows[0]?.total ?? 0;
  return { reasons: rows.map(({ total: _total, ...reason }) => reason), total, capped: total === MOST_COUNTED };
}
