import { HISTORY } from '../db/history/history.queries';
import type { Db } from '../db/pool';
import { singleRow } from '../db/history/single-row';

export interface InstallationPlace {
  /** Of the installation. A copy of the database has the same. */
  id: string;
  /** Where the installation is at home: the server's system identifier and the name of the database; null before its first start. */
  home: string | null;
  /** Where the database is now. A standby has the system identifier of its primary; a restored dump has another one. */
  here: string;
  /** The history of the database (db/history); null while a restore has not filled its table yet. */
  history: string | null;
}

export async function readPlace(db: Db): Promise<InstallationPlace> {
  const { rows } = await db.query<InstallationPlace>(
    `select incarnation::text as id, home,
            (select system_identifier from pg_control_system()) || '/' || current_database() as here,
            ${HISTORY} as history
       from installation`,
  );
  return singleRow(rows, 'installation');
}

/** Makes this place the home of an installation that has none. */
export async function settleIn(db: Db, here: string): Promise<void> {
  await db.query('update installation set home = $1 where home is null', [here]);
}

/** Makes this place the home of the installation, which keeps its id and its key. */
export async function moveHome(db: Db, here: string): Promise<void> {
  await db.query('update installation set home = $1', [here]);
}

/** Makes the database an installation of its own, with an id and a key of its own. */
export async function becomeNew(db: Db, here: string): Promise<void> {
  await db.query(
    'update installation set home = $1, incarnation = gen_random_uuid(), installation_key = null, given_installation_key = null',
    [here],
  );
}

/** Pauses all destinations, and returns how many were not paused before. */
export async function pauseAllDestinations(db: Db): Promise<number> {
  const { rowCount } = await db.query(
    `update destinations set paused_at = now()
      where id = any (array(select id from destinations where paused_at is null order by id for update))`,
  );
  return rowCount ?? 0;
}
