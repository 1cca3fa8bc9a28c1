import type { Db } from '../db/pool';

export interface StoredKeys {
  /** The sealed installation key; null until a process has made it. */
  sealed: Buffer | null;
  /** The key of the database that seals secrets while DESTINATIONS_SECRET_KEY is not set; null while it never was needed. */
  databaseKey: Buffer | null;
  incarnation: string;
}

export async function readStoredKeys(db: Db): Promise<StoredKeys> {
  const { rows } = await db.query<StoredKeys>(
    'select installation_key as sealed, destinations_key as "databaseKey", incarnation::text from installation',
  );
  return rows[0] as StoredKeys;
}

/** Returns the sealed key of the installation. Stores `fresh` as that key when there is none yet. */
export async function keepInstallationKey(db: Db, fresh: Buffer): Promise<Buffer> {
  const { rows } = await db.query<{ sealed: Buffer }>(
    'update installation set installation_key = coalesce(installation_key, $1) returning installation_key as sealed',
    [fresh],
  );
  return (rows[0] as { sealed: Buffer }).sealed;
}

/** Puts the same key, sealed anew, in place of `sealed`, unless another process has replaced it. */
export async function replaceSealedKey(db: Db, sealed: Buffer, anew: Buffer): Promise<void> {
  await db.query('update installation set installation_key = $2 where installation_key = $1', [sealed, anew]);
}
