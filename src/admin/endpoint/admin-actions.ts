import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { errorCode } from '../../db/pg-errors';
import { sha256 } from '../../event/identity/content-hash';
import { canonicalJson } from '../../event/json/canonical-json';
import { Problem } from '../../event/problems';
import { uuidV7 } from '../../event/uuid-v7';
import {
  claimEntry,
  findAuditEntry,
  findEntryByKey,
  recordCounts,
  type ActionKey,
  type AdminChange,
  type ChangeCounts,
} from '../audit/audit.queries';
import { AdminTransactions, UnknownCommitError } from './admin-transactions';

/** How long a request waits for another one that has the same idempotency key. */
const MOST_WAIT_FOR_TWIN_MS = 2_000;
const LOCK_TIMEOUT = '55P03';

/** A change that is recorded in the audit trail and takes effect in the same transaction. */
export interface AdminActionOf<T> extends AdminChange {
  /** The id of the audit entry, if the caller needs it beforehand. */
  id?: string;
  /** The caller's key, and all that the request asks for. */
  idempotency?: { key: string | undefined; asked: object };
  work: (db: PoolClient, id: string) => Promise<{ counts: ChangeCounts; result: T }>;
  /**
   * Of a change that goes on after its transaction: for how long requests with the same key are refused, unless the change
   * records progress or its end (running-actions.queries.ts).
   */
  leaseSeconds?: number;
}

export type ActionOutcome<T> =
  | { repeated: false; id: string; counts: ChangeCounts; result: T; correlationId: string }
  /** The key was used before for the same change. Nothing was done now. */
  | { repeated: true; id: string; counts: ChangeCounts; correlationId: string };

/**
 * Carries out changes of operators. The audit entry is the first write of the transaction. A run that follows a lost
 * connection finds there whether an earlier run has committed, and a request with a used idempotency key finds the
 * change that was made.
 */
@Injectable()
export class AdminActions {
  constructor(private readonly transactions: AdminTransactions) {}

  /**
   * @throws Problem `idempotency-key-reused`, `idempotency-in-flight`, or `storage-unavailable` with the `actionId` if
   * it is not known whether the change was committed
   */
  async run<T>(action: AdminActionOf<T>): Promise<ActionOutcome<T>> {
    const { id = uuidV7(), acting } = action;
    const entry = { ...action, id, key: keyOf(action) };
    let done: { counts: ChangeCounts; result: T } | undefined;
    try {
      return await this.transactions.run(async (db) => {
        if (await claim(db, entry, done !== undefined)) {
          done = await action.work(db, id);
          await recordCounts(db, id, done.counts);
        } else if (!done || !(await findAuditEntry(db, id, null))) {
          return findTwin(db, entry.key);
        }
        return { repeated: false as const, id, ...done, correlationId: acting.correlationId };
      });
    } catch (error) {
      if (error instanceof UnknownCommitError) throw outcomeUnknown(id, error);
      throw error;
    }
  }
}

/**
 * The key of a request, which is unique to its operator, and the fingerprint of what the request asks for. The tenants
 * of the operator are part of it, because they limit what the request does. For ADMIN_TOKEN, both are those of the
 * builds that had no other operators.
 */
function keyOf({ action, acting, idempotency }: AdminActionOf<unknown>): ActionKey | undefined {
  if (idempotency?.key === undefined) return undefined;
  const { id, tenantIds } = acting;
  const named = id === null ? `admin:${idempotency.key}` : `operator:${JSON.stringify([id, idempotency.key])}`;
  const limits = tenantIds === null ? {} : { tenantIds };
  const asked = canonicalJson(JSON.parse(JSON.stringify({ action, ...idempotency.asked, ...limits })));
  return { digest: Buffer.from(sha256(named), 'hex'), fingerprint: Buffer.from(sha256(asked), 'hex') };
}

/** `ownMayCommit`: an earlier run of this change may still be committing. */
async function claim(db: PoolClient, entry: Parameters<typeof claimEntry>[1], ownMayCommit: boolean): Promise<boolean> {
  try {
    return await claimEntry(db, entry, MOST_WAIT_FOR_TWIN_MS);
  } catch (error) {
    if (errorCode(error) !== LOCK_TIMEOUT || ownMayCommit) throw error;
    throw inFlight();
  }
}

async function findTwin(db: PoolClient, key: ActionKey | undefined): Promise<ActionOutcome<never>> {
  const twin = key && (await findEntryByKey(db, key));
  if (!twin) throw inFlight(); // it was there a moment ago: its key has just been forgotten
  if (!twin.same) {
    throw new Problem('idempotency-key-reused', 'This idempotency key was used for a request with other content.');
  }
  if (twin.running) throw inFlight();
  const { id, counts, correlationId } = twin;
  return { repeated: true, id, counts, correlationId };
}

function inFlight(): Problem {
  return new Problem('idempotency-in-flight', 'A request with this idempotency key is in progress.', {
    retryAfterSeconds: 1,
  });
}

function outcomeUnknown(actionId: string, cause: Error): Problem {
  const detail =
    'The database connection was lost when the action was committed. Read GET /v1/admin/actions/{actionId}, or send ' +
    'the same request again with the same Idempotency-Key.';
  const problem = new Problem('storage-unavailable', detail, { retryAfterSeconds: 2, members: { actionId } });
  problem.cause = cause;
  return problem;
}
