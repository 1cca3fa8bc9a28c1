import type { Db } from '../db/pool';
import { singleRow } from '../db/history/single-row';

export interface StoredKeys {
  /** The sealed key of the database; null until a process has made it. */
  sealed: Buffer | null;
  /** The sealed INSTALLATION_KEY that a process has started with last; null if none has. */
  givenSealed: Buffer | null;
  /** The key of the database that seals secrets while DESTINATIONS_SECRET_KEY is not set; null while it never was needed. */
  databaseKey: Buffer | null;
  incarnation: string;
}

export async function readStoredKeys(db: Db): Promise<StoredKeys> {
  const { rows } = await db.query<StoredKeys>(
    `select installation_key as sealed, given_installation_key as "givenSealed", destinations_key as "databaseKey",
            incarnation::text
       from installation`,
  );
  return singleRow(rows, 'installation');
}

/** Returns the sealed key of the installation. Stores `fresh` as that key when there is none yet. */
export async function keepInstallationKey(db: Db, fresh: Buffer): Promise<Buffer> {
  const { rows } = await db.query<{ sealed: Buffer }>(
    'update installation set installation_key = coalesce(installation_key, $1) returning installation_key as sealed',
    [fresh],
  );
  return singleRow(rows, 'installation').sealed;
}

/** Stores the sealed INSTALLATION_KEY of this process in place of one that was given before. */
export async function keepGivenKey(db: Db, sealed: Buffer): Promise<void> {
  await db.query('update installation set given_installation_key = $1', [sealed]);
}

/** Puts the same key, sealed anew, in place of `sealed`, unless another process has replaced it. */
export async function replaceSealedKey(db: Db, sealed: Buffer, anew: Buffer): Promise<void> {
  await db.query(
    `update installation
        set installation_key = case when installation_key = $1 then $2 else installation_key end,
            given_installation_key = case when given_installation_key = $1 then $2 else given_installation_key end
      where $1 in (installation_key, given_installation_key)`,
    [sealed, anew],
  );
}
