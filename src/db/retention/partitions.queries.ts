import type { Db } from '../pool';
import { STATEMENT_TIMEOUT } from '../session/session-needs';

export interface MissingPartition {
  parent: string;
  name: string;
}

/** Lists the partitions of the coming weeks and days that do not exist, those that are needed first at the front. */
export async function listMissingPartitions(db: Db): Promise<MissingPartition[]> {
  const { rows } = await db.query<MissingPartition>('select parent, name from missing_partitions()');
  return rows;
}

/**
 * Makes one of the missing partitions, with the rights of the owner of the tables. Locks the default partition until the
 * transaction ends. Returns false if it is not missing.
 */
export async function makePartition(db: Db, { parent, name }: MissingPartition): Promise<boolean> {
  const { rows } = await db.query<{ made: boolean }>('select make_partition($1, $2) as made', [parent, name]);
  return rows[0]?.made ?? false;
}

/**
 * Locks tables until the transaction ends, in this order: first the parents, then partitions, as all other statements
 * do. Everybody who needs one of the tables queues behind the wait, so all waits together are bounded.
 * @throws 57014 or 55P03 after half a second
 */
export async function lockBriefly(db: Db, parents: readonly string[], partitions: readonly string[]): Promise<void> {
  const tables = [...parents.map((parent) => `only ${parent}`), ...partitions].join(', ');
  await db.query(`set local lock_timeout = '300ms'; set local statement_timeout = '500ms'`);
  await db.query(`lock table ${tables} in access exclusive mode`);
  await db.query(`set local statement_timeout = '${STATEMENT_TIMEOUT}'`);
}

/** Limits lock waits in this transaction, because all later users of a table queue behind a waiting lock. */
export async function waitBrieflyForLocks(db: Db): Promise<void> {
  await db.query(`set local lock_timeout = '300ms'`);
}

/** Drops locked partitions whose time has passed, with the rights of the owner of the tables. */
export async function dropPartitions(db: Db, names: readonly string[]): Promise<void> {
  await db.query('select drop_partitions($1)', [names]);
}

/** Returns the transactions of others that hold locks on one of these tables, whatever their mode. */
export async function listLockHolders(db: Db, tables: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ holder: string }>(
    `select distinct l.virtualtransaction as holder
       from pg_locks l join unnest($1::text[]) t (name) on l.relation = to_regclass(t.name)
      where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
        and l.database = (select oid from pg_database where datname = current_database())`,
    [tables],
  );
  return rows.map(({ holder }) => holder);
}
