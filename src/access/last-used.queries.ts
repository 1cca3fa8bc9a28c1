import type { Db } from '../db/pool';

/** When a key or an operator token was last used. */
export interface Use {
  id: string;
  at: string;
}

/** Records uses of API keys. Another process may have recorded a later one. Locks the rows in the order of their ids. */
export async function recordKeyUses(db: Db, uses: readonly Use[]): Promise<void> {
  await db.query(
    `with used as (select * from unnest($1::text[], $2::timestamptz[]) as u (id, at)),
          locked as (select k.id, used.at from api_keys k join used using (id) order by k.id for no key update of k)
     update api_keys set last_used_at = greatest(last_used_at, locked.at) from locked where api_keys.id = locked.id`,
    [uses.map(({ id }) => id), uses.map(({ at }) => at)],
  );
}

/** Records uses of operator tokens. Locks the rows in the order of their ids. */
export async function recordOperatorUses(db: Db, uses: readonly Use[]): Promise<void> {
  await db.query(
    `with used as (select * from unnest($1::text[], $2::timestamptz[]) as u (id, at)),
          locked as (select o.id, used.at from operators o join used using (id) order by o.id for no key update of o)
     update operators set last_used_at = greatest(last_used_at, locked.at) from locked where operators.id = locked.id`,
    [uses.map(({ id }) => id), uses.map(({ at }) => at)],
  );
}
