import type { ClientBase } from 'pg';

/** Returns those of our backends that run no statement: they wait for their client. */
export async function backendsAtRest(db: Pick<ClientBase, 'query'>, processIds: readonly number[]): Promise<number[]> {
  const { rows } = await db.query<{ pid: number }>(
    `select pid from pg_stat_activity
      where pid = any ($1::int[]) and state like 'idle%'
        and usename = current_user and datname = current_database()`,
    [processIds],
  );
  return rows.map(({ pid }) => pid);
}
