import type { Pool } from 'pg';
import { inTransaction, type Db } from '../../db/pool';
import { ofAuth, ofHeaders } from '../../destinations/secrets/sealed-options';
import { SecretBox } from '../../destinations/secrets/secret-box';
import {
  findGeneratedKey,
  lockSealedDestinations,
  lockSealedSources,
  readSealedDestinations,
  readSealedSources,
  resealDestination,
  resealSource,
  type SealedRow,
} from './reseal.queries';

/** Rows that are locked at a time. */
const BATCH = 100;

/** How many secrets were found, by what opens them. */
export interface SealCounts {
  first: number;
  older: number;
  /** No key opens these. */
  unopened: number;
}

interface Place {
  read: (db: Db, after: string | null, limit: number) => Promise<SealedRow[]>;
  lock: (db: Db, after: string | null, limit: number) => Promise<SealedRow[]>;
  write: (db: Db, row: SealedRow) => Promise<void>;
}

const PLACES: readonly Place[] = [
  { read: readSealedDestinations, lock: lockSealedDestinations, write: resealDestination },
  { read: readSealedSources, lock: lockSealedSources, write: resealSource },
];

/**
 * Returns the box of all keys that may have sealed something: those of DESTINATIONS_SECRET_KEY, then the generated one.
 * Undefined if there is none, because nothing was ever sealed.
 */
export async function boxOfAllKeys(db: Db, keys: readonly Buffer[]): Promise<SecretBox | undefined> {
  const generated = await findGeneratedKey(db);
  const [first, ...others] = generated ? [...keys, generated] : keys;
  return first && new SecretBox([first, ...others]);
}

/** Counts the secrets of all destinations and sources by the key that opens them. Locks nothing. */
export async function countSecrets(pool: Pool, box: SecretBox): Promise<SealCounts> {
  const counts = { first: 0, older: 0, unopened: 0 };
  for (const { read } of PLACES) {
    await forEachBatch(
      (after) => read(pool, after, BATCH),
      (rows) => {
        for (const { sealed, context } of rows.flatMap(partsOf)) counts[standingOf(box, sealed, context)] += 1;
      },
    );
  }
  return counts;
}

/**
 * Seals all secrets again with the first key, in transactions of up to 100 rows. Running processes go on. May be
 * repeated. What no key opens is left as it is.
 * @param onBatch is told what each transaction has found
 */
export async function resealSecrets(pool: Pool, box: SecretBox, onBatch: (found: SealCounts) => void): Promise<void> {
  for (const { lock, write } of PLACES) {
    for (let after: string | null = null; ;) {
      const [rows, found] = await inTransaction(pool, (db) => resealBatch(db, box, after, { lock, write }));
      onBatch(found);
      if (rows.length < BATCH) break;
      after = rows.at(-1)?.id ?? null;
    }
  }
}

async function resealBatch(
  db: Db,
  box: SecretBox,
  after: string | null,
  { lock, write }: Pick<Place, 'lock' | 'write'>,
): Promise<[SealedRow[], SealCounts]> {
  const found = { first: 0, older: 0, unopened: 0 };
  const rows = await lock(db, after, BATCH);
  for (const row of rows) {
    const again = (sealed: Buffer | null, context: string): Buffer | null => {
      if (sealed === null) return null;
      const standing = standingOf(box, sealed, context);
      found[standing] += 1;
      return standing === 'older' ? box.seal(box.open(sealed, context), context) : sealed;
    };
    const before = found.older;
    const { id } = row;
    const secrets = row.secrets.map((secret) => again(secret, id));
    const fresh = { id, secrets, headers: again(row.headers, ofHeaders(id)), auth: again(row.auth, ofAuth(id)) };
    if (found.older > before) await write(db, fresh);
  }
  return [rows, found];
}

function partsOf({ id, secrets, headers, auth }: SealedRow): { sealed: Buffer; context: string }[] {
  const parts = [
    ...secrets.map((sealed) => ({ sealed, context: id })),
    { sealed: headers, context: ofHeaders(id) },
    { sealed: auth, context: ofAuth(id) },
  ];
  return parts.flatMap(({ sealed, context }) => (sealed === null ? [] : [{ sealed, context }]));
}

function standingOf(box: SecretBox, sealed: Buffer, context: string): keyof SealCounts {
  const key = box.keyOf(sealed, context);
  return key === undefined ? 'unopened' : key === 0 ? 'first' : 'older';
}

async function forEachBatch(
  next: (after: string | null) => Promise<SealedRow[]>,
  work: (rows: readonly SealedRow[]) => void,
): Promise<void> {
  for (let after: string | null = null; ;) {
    const rows: SealedRow[] = await next(after);
    work(rows);
    if (rows.length < BATCH) return;
    after = rows.at(-1)?.id ?? null;
  }
}
