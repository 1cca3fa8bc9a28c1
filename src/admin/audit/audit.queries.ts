import { ADMIN } from '../../access/operator-access';
import type { Db } from '../../db/pool';

export type AdminAction =
  | 'replay'
  | 'replay.cancel'
  | 'dlq.retry'
  | 'dlq.discard'
  | 'outbox.retry'
  | 'destination.create'
  | 'destination.change'
  | 'destination.delete'
  | 'destination.rotate-secret';

/** A change that an operator makes. */
export interface AdminChange {
  action: AdminAction;
  filter: object;
  note?: string | undefined;
  correlationId: string;
}

export type ChangeCounts = Record<string, number>;

/** The idempotency key of a change, and what it was used for. */
export interface ActionKey {
  digest: Buffer;
  fingerprint: Buffer;
}

/** One change by an operator. */
export interface AuditEntry {
  id: string;
  at: string;
  /** Name of the admin token. */
  actor: string;
  action: string;
  filter: object;
  counts: ChangeCounts;
  note: string | null;
  correlationId: string;
}

/**
 * Records a change, before it is made and in the same transaction. Returns false, and records nothing, if there is an
 * entry with this id or this key. Waits for a transaction that is about to commit such an entry, up to `waitMs`.
 */
export async function claimEntry(
  db: Db,
  entry: AdminChange & { id: string; key: ActionKey | undefined },
  waitMs: number,
): Promise<boolean> {
  const { id, action, filter, note = null, correlationId, key } = entry;
  await db.query(`select set_config('lock_timeout', $1, true)`, [`${waitMs}ms`]);
  const { rowCount } = await db.query(
    `insert into admin_audit (id, actor, action, filter, counts, note, correlation_id, key_digest, fingerprint)
     values ($1, $2, $3, $4, '{}', $5, $6, $7, $8) on conflict do nothing`,
    [id, ADMIN.name, action, filter, note, correlationId, key?.digest ?? null, key?.fingerprint ?? null],
  );
  await db.query(`select set_config('lock_timeout', '0', true)`);
  return rowCount === 1;
}

/** Records what a change has done so far. */
export async function recordCounts(db: Db, id: string, counts: ChangeCounts): Promise<void> {
  await db.query('update admin_audit set counts = $2 where id = $1', [id, counts]);
}

const ENTRY = 'id, at, actor, action, filter, counts, note, correlation_id as "correlationId"';

export async function findAuditEntry(db: Db, id: string): Promise<AuditEntry | undefined> {
  const { rows } = await db.query<AuditEntry>(`select ${ENTRY} from admin_audit where id = $1`, [id]);
  return rows[0];
}

/** `same` is false if the key was used for another change. */
export async function findEntryByKey(db: Db, key: ActionKey): Promise<(AuditEntry & { same: boolean }) | undefined> {
  const { rows } = await db.query<AuditEntry & { same: boolean }>(
    `select ${ENTRY}, fingerprint = $2 as same from admin_audit where key_digest = $1`,
    [key.digest, key.fingerprint],
  );
  return rows[0];
}

/** Lists entries below this id, newest first. Ids are UUIDv7, so id order is time order. */
export async function listAuditEntries(db: Db, page: { below: string | null; limit: number }): Promise<AuditEntry[]> {
  const { rows } = await db.query<AuditEntry>(
    `select ${ENTRY}
       from admin_audit where $1::uuid is null or id < $1 order by id desc limit $2`,
    [page.below, page.limit],
  );
  return rows;
}
