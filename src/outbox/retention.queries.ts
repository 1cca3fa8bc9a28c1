import type { Db } from '../db/pool';

export interface Partition {
  name: string;
  /** Of which range: text of the lower and upper bound, as PostgreSQL writes them. */
  lower: string;
  upper: string;
}

/** Partitions of a table whose range ended `olderThanSeconds` ago or earlier, oldest first. The default one has no range. */
export async function listEndedPartitions(
  db: Db,
  parent: 'outbox' | 'events',
  olderThanSeconds: number,
): Promise<Partition[]> {
  // events is split by UUIDv7, whose bound for a moment uuid_v7_floor tells.
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

/** For this transaction: while it waits for a lock of a table, everybody else who wants the table waits behind it. */
export async function waitBrieflyForLocks(db: Db): Promise<void> {
  await db.query(`set local lock_timeout = '500ms'`);
}

/**
 * Until the transaction ends. Parents first, as every other statement takes them, so that there is no deadlock.
 */
export async function lockForDrop(db: Db, parents: readonly string[], partitions: readonly string[]): Promise<void> {
  await waitBrieflyForLocks(db);
  for (const parent of parents) await db.query(`lock table only ${parent} in access exclusive mode`);
  await db.query(`lock table ${partitions.join(', ')} in access exclusive mode`);
}

/** No open and no FAILED entry in it, and the reconciler has passed the last one (I13). */
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
 * Whether every event of this range is at rest. Events without a state row are, once the reconciler has passed their
 * entries; an hour more than the range allows for events that waited between receipt and store.
 */
export async function areEventsSettled(db: Db, { lower, upper }: Partition, endedAt: string): Promise<boolean> {
  const inRange = 'event_id >= $1::uuid and event_id < $2::uuid';
  const { rows } = await db.query<{ settled: boolean }>(
    `select not exists (select from dead_letters where resolved_at is null and ${inRange})
        and not exists (select from replay_events where outcome in ('PENDING', 'DISPATCHED') and ${inRange})
        and not exists (select from retry_schedule where ${inRange})
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

/** When the range of a UUIDv7 bound begins. */
export async function instantOfBound(db: Db, bound: string): Promise<string> {
  const { rows } = await db.query<{ instant: string }>(
    `select to_timestamp(('x' || lpad(left(replace($1, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) as instant`,
    [bound],
  );
  return (rows[0] as { instant: string }).instant;
}

export async function dropTables(db: Db, names: readonly string[]): Promise<void> {
  await db.query(`drop table ${names.join(', ')}`);
}

/** Entries that lie in no day's partition. Bounded; returns how many went. */
export async function deleteStrayEntries(db: Db, olderThanSeconds: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from outbox_default where id = any (array(
       select id from outbox_default
        where status = 'PUBLISHED' and created_at < now() - make_interval(secs => $1)
          and id <= (select position from chore_progress where name = 'reconciler')
        order by id limit $2))`,
    [olderThanSeconds, limit],
  );
  return rowCount ?? 0;
}

/** Creates the missing partitions of the coming weeks and days. Returns how many. */
export async function ensurePartitions(db: Db): Promise<number> {
  const { rows } = await db.query<{ made: number }>('select ensure_partitions() as made');
  return rows[0]?.made ?? 0;
}
