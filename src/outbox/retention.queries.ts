import type { Db } from '../db/pool';
import { isSuperseded } from '../delivery-state/delivery-keys';

export interface Partition {
  name: string;
  /** The bounds of its range, as PostgreSQL prints them. */
  lower: string;
  upper: string;
}

/** Lists the partitions whose range ended at least `olderThanSeconds` ago, oldest first. Leaves out the default one. */
export async function listEndedPartitions(
  db: Db,
  parent: 'outbox' | 'events' | 'rejections',
  olderThanSeconds: number,
): Promise<Partition[]> {
  // All but outbox are partitioned by UUIDv7; uuid_v7_floor returns the bound of an instant.
  const moment = `now() - make_interval(secs => $2)`;
  const ended = parent === 'outbox' ? `upper::timestamptz <= ${moment}` : `upper::uuid <= uuid_v7_floor(${moment})`;
  const { rows } = await db.query<Partition>(
    `select name, lower, upper
       from (select c.relname as name, m[1] as lower, m[2] as upper
               from pg_inherits i join pg_class c on c.oid = i.inhrelid,
                    regexp_match(pg_get_expr(c.relpartbound, c.oid), $$FROM \\('(.*)'\\) TO \\('(.*)'\\)$$) m
              where i.inhparent = to_regclass($1) and m is not null
              offset 0) p
      where ${ended} order by lower`,
    [parent, olderThanSeconds],
  );
  return rows;
}

/** True if the partition has no open or FAILED entry and the reconciler has passed its last entry (I13). */
export async function isOutboxPartitionDone(db: Db, name: string): Promise<boolean> {
  const { rows } = await db.query<{ done: boolean }>(
    `select not exists (select from ${name} where closed_at is null)
        and not exists (select from ${name} where failed_at is not null)
        and not exists (select from ${name}
                         where id > coalesce((select position from chore_progress where name = 'reconciler'), 0)) as done`,
  );
  return rows[0]?.done ?? false;
}

/**
 * True if every event of this range is settled. An event without a state row is settled once the reconciler has passed
 * its entry. The extra hour covers events that waited between receipt and commit.
 */
export async function areEventsSettled(db: Db, { lower, upper }: Partition, endedAt: string): Promise<boolean> {
  const inRange = 'event_id >= $1::uuid and event_id < $2::uuid';
  const { rows } = await db.query<{ settled: boolean }>(
    `select not exists (select from dead_letters where resolved_at is null and ${inRange})
        and not exists (select from replay_events where outcome in ('PENDING', 'DISPATCHED') and ${inRange})
        and not exists (select from retry_schedule where ${inRange})
        and not exists (select from delivery_queue where ${inRange})
        and not exists (select from deliveries d
                         where d.failed_at is not null and d.status = 'FAILED' and ${inRange} and not ${isSuperseded('d')})
        and not exists (select from event_state where ${inRange} and status not in ('COMPLETED', 'DISCARDED'))
        and not exists (select from outbox where (closed_at is null or failed_at is not null) and ${inRange})
        and not exists (select from outbox
                         where created_at < $3::timestamptz + interval '1 hour'
                           and id > coalesce((select position from chore_progress where name = 'reconciler'), 0))
            as settled`,
    [lower, upper, endedAt],
  );
  return rows[0]?.settled ?? false;
}

/** Returns the instant of a UUIDv7 bound. */
export async function instantOfBound(db: Db, bound: string): Promise<string> {
  const { rows } = await db.query<{ instant: string }>(
    `select to_timestamp(('x' || lpad(left(replace($1, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) as instant`,
    [bound],
  );
  return (rows[0] as { instant: string }).instant;
}

/** Counts the rows of a partition. Scans all of it. */
export async function countPartition(db: Db, partition: string): Promise<number> {
  const { rows } = await db.query<{ n: string }>(`select count(*) as n from ${partition}`);
  return Number(rows[0]?.n ?? 0);
}

/** Returns those of the tables that exist. */
export async function existingTables(db: Db, names: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    'select name from unnest($1::text[]) with ordinality t (name, n) where to_regclass(name) is not null order by n',
    [names],
  );
  return rows.map(({ name }) => name);
}

/** Deletes up to `limit` published entries from the default partition. Returns their number. */
export async function deleteStrayEntries(db: Db, olderThanSeconds: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from outbox_default where id = any (array(
       select id from outbox_default
        where status = 'PUBLISHED' and created_at < now() - make_interval(secs => $1)
          and id <= (select position from chore_progress where name = 'reconciler')
        order by id limit $2 for update skip locked))`,
    [olderThanSeconds, limit],
  );
  return rowCount ?? 0;
}
