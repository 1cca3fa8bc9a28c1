import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { storageProblem } from '../db/outages';
import { classifyPgError, isMaybeOfOne, isWorthWaitingFor } from '../db/pg-errors';
import { Problem } from '../event/problems';
import { keepsOtherRejections } from './keeps-other-rejections';
import type { NewRejection } from './rejection';
import { rejectionBytes, RejectionQueue, type KeepCaller, type QueuedRejection } from './rejection-queue';
import { insertRejections } from './rejections.queries';

/**
 * How much of the queue may be filled by rejections that need not be kept. The rest is for sources, whose requests fail
 * when theirs cannot be kept.
 */
const OPTIONAL_PART = 0.5;
/** After so many callers of a batch have failed for now, the others that fail with them are not tried alone. */
const MOST_FAILED_ALONE = 20;

/**
 * Keeps what was refused. Concurrent callers share a statement: while one runs, the next batch collects. A burst of bad
 * requests therefore takes one connection, and the room for it is bounded.
 */
@Injectable()
export class RejectionStore {
  private readonly logger = new Logger('Rejections');
  private readonly queue = new RejectionQueue();
  private writing = false;

  constructor(
    private readonly pool: Pool,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'MAX_EVENT_BYTES'>,
  ) {}

  /**
   * Resolves after the commit. If it fails, some of the rejections may be stored.
   * @throws Problem `overloaded` when too many are waiting, `storage-unavailable` without PostgreSQL
   */
  keep(rejections: readonly NewRejection[]): Promise<void> {
    if (rejections.length === 0) return Promise.resolve();
    const bytes = rejections.reduce((sum, rejection) => sum + rejectionBytes(rejection), 0);
    if (!this.queue.hasRoom(rejections.length, bytes)) throw overloaded();
    return new Promise((resolve, reject) => {
      const caller = { open: rejections.length, failed: false, resolve, reject };
      for (const rejection of rejections) this.queue.add(rejection, caller);
      this.startWriting();
    });
  }

  /**
   * Keeps a rejection if there is room for it. Calls `done` after the commit, or when it failed. Returns false, and does
   * not call `done`, when there is no room. Never throws.
   */
  tryKeep(rejection: NewRejection, done: (isKept: boolean) => void): boolean {
    if (!this.queue.hasRoom(1, rejectionBytes(rejection), OPTIONAL_PART)) return false;
    this.queue.add(rejection, {
      open: 1,
      failed: false,
      resolve: () => done(true),
      reject: () => done(false),
    });
    this.startWriting();
    return true;
  }

  /** Not at once: the rejections of one batch of records come one after the other, and share a statement. */
  private startWriting(): void {
    if (this.writing) return;
    this.writing = true;
    setImmediate(() => void this.writeAll());
  }

  private async writeAll(): Promise<void> {
    while (!this.queue.isEmpty) {
      const batch = this.queue.take().filter(({ caller }) => !caller.failed);
      if (batch.length > 0) await this.write(batch);
    }
    this.writing = false;
  }

  /** @param failed how many callers of the batch have failed with what may be their own fault */
  private async write(batch: readonly QueuedRejection[], failed = { count: 0 }): Promise<void> {
    const callers = [...new Set(batch.map(({ caller }) => caller))];
    try {
      await this.insert(batch);
      for (const { caller } of batch) if (--caller.open === 0) caller.resolve();
    } catch (error) {
      if (callers.length > 1 && (await this.isOfOne(error, failed.count))) {
        // Only the caller with the row that PostgreSQL refuses fails.
        const half = new Set(callers.slice(0, callers.length >> 1));
        await this.write(
          batch.filter(({ caller }) => half.has(caller)),
          failed,
        );
        await this.write(
          batch.filter(({ caller }) => !half.has(caller)),
          failed,
        );
        return;
      }
      if (classifyPgError(error) !== 'data') failed.count += callers.length;
      if (!isWorthWaitingFor(error)) {
        this.logger.warn({ msg: 'rejections.not-stored', count: batch.length, err: error });
      }
      for (const caller of callers) fail(caller, error);
    }
  }

  private async isOfOne(error: unknown, failed: number): Promise<boolean> {
    const failure = classifyPgError(error);
    if (failure === 'data' || (failure === 'unexpected' && failed < MOST_FAILED_ALONE)) return true;
    return isMaybeOfOne(error) && failed < MOST_FAILED_ALONE && keepsOtherRejections(this.pool);
  }

  /** A deadlock or a lock timeout has stored nothing, so the statement is repeated once. */
  private async insert(batch: readonly QueuedRejection[]): Promise<void> {
    const rejections = batch.map(({ rejection }) => rejection);
    const { MAX_EVENT_BYTES } = this.settings;
    try {
      await insertRejections(this.pool, rejections, MAX_EVENT_BYTES);
    } catch (error) {
      if (classifyPgError(error) !== 'transient') throw error;
      await insertRejections(this.pool, rejections, MAX_EVENT_BYTES);
    }
  }
}

function fail(caller: KeepCaller, error: unknown): void {
  caller.failed = true;
  caller.reject(storageProblem(error, NOT_KEPT) ?? error);
}

function overloaded(): Problem {
  const detail = 'Too many rejected records are waiting to be stored. Send the request again later.';
  return new Problem('overloaded', detail, { retryAfterSeconds: 1 });
}

const NOT_KEPT = 'The rejected record cannot be kept because the database is unavailable.';
