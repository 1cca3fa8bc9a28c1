import type { Db } from '../../db/pool';

/** A row with what is sealed in it. A source has up to two secrets and nothing else. */
export interface SealedRow {
  id: string;
  secrets: (Buffer | null)[];
  headers: Buffer | null;
  auth: Buffer | null;
}

const DESTINATIONS = 'select id, array[secret, previous_secret] as secrets, headers, auth from destinations';
const SOURCES = 'select id, secrets, null::bytea as headers, null::bytea as auth from sources';
const PAGE = 'where ($1::uuid is null or id > $1) order by id limit $2';

/** Returns destinations with an id above `after`, in the order of their ids. */
export async function readSealedDestinations(db: Db, after: string | null, limit: number): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>(`${DESTINATIONS} ${PAGE}`, [after, limit]);
  return rows;
}

/** Returns sources with an id above `after`, in the order of their ids. */
export async function readSealedSources(db: Db, after: string | null, limit: number): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>(`${SOURCES} ${PAGE}`, [after, limit]);
  return rows;
}

/** As readSealedDestinations. Locks them until the end of the transaction, so that a change is not undone. */
export async function lockSealedDestinations(db: Db, after: string | null, limit: number): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>(`${DESTINATIONS} ${PAGE} for no key update`, [after, limit]);
  return rows;
}

/** As readSealedSources. Locks them until the end of the transaction, so that a change is not undone. */
export async function lockSealedSources(db: Db, after: string | null, limit: number): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>(`${SOURCES} ${PAGE} for no key update`, [after, limit]);
  return rows;
}

/** Replaces what is sealed in a destination, which stays the same. Its revision rises, so every process reads it again. */
export async function resealDestination(db: Db, { id, secrets, headers, auth }: SealedRow): Promise<void> {
  await db.query('update destinations set secret = $2, previous_secret = $3, headers = $4, auth = $5 where id = $1', [
    id,
    secrets[0],
    secrets[1] ?? null,
    headers,
    auth,
  ]);
}

/** Replaces what is sealed in a source, which stays the same. Its revision rises, so every process reads it again. */
export async function resealSource(db: Db, { id, secrets }: SealedRow): Promise<void> {
  await db.query('update sources set secrets = $2::bytea[] where id = $1', [id, secrets]);
}

/** Returns the key that StreamForge has generated; undefined if it has not. */
export async function findGeneratedKey(db: Db): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ key: Buffer | null }>('select destinations_key as key from installation');
  return rows[0]?.key ?? undefined;
}
