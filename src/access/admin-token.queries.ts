import type { Db } from '../db/pool';
import { singleRow } from '../db/history/single-row';

/** Returns the generated admin token of the installation. Stores `fresh` as that token when there is none yet. */
export async function keepAdminToken(db: Db, fresh: string): Promise<string> {
  const { rows } = await db.query<{ token: string }>(
    'update installation set admin_token = coalesce(admin_token, $1) returning admin_token as token',
    [fresh],
  );
  return singleRow(rows, 'installation').token;
}
