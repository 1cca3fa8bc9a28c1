import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { Db } from '../../db/pool';
import { recordChange, updateCounts, type AdminChange } from '../audit/audit.queries';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { limitOf, recordedFilter, type BulkRequest } from '../events/bulk-request';
import { discardDeadLetters } from '../../event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../event-state/dispatch-dead-letters.queries';
import { findMatching } from '../events/matching-events';

/** Maximum number of events changed in one transaction. */
const EVENTS_PER_TRANSACTION = 500;

export interface Changed {
  matched: number;
  changed: number;
  skipped: number;
}

/** Retries and discards dead letters. */
@Injectable()
export class DeadLetterActions {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly transactions: AdminTransactions,
    private readonly wakeUp: WakeUp,
  ) {}

  async retry(request: BulkRequest, correlationId: string): Promise<Changed> {
    const changed = await this.change(request, 'dlq.retry', 'retried', correlationId, async (db, ids) => {
      return (await dispatchDeadLetters(db, ids)).length;
    });
    this.wakeUp.signal();
    return changed;
  }

  async discard(request: BulkRequest, correlationId: string): Promise<Changed> {
    const { note } = request;
    return this.change(request, 'dlq.discard', 'discarded', correlationId, (db, ids) =>
      discardDeadLetters(db, ids, note),
    );
  }

  /** Changes the events in transactions of bounded size. Each transaction also updates the audit entry. */
  private async change(
    request: BulkRequest,
    action: AdminChange['action'],
    verb: string,
    correlationId: string,
    work: (db: Db, ids: string[]) => Promise<number>,
  ): Promise<Changed> {
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    const { events } = await findMatching(this.pool, { ...request, status: 'DLQ' }, limit);
    const ids = events.map(({ id }) => id);
    const result = { matched: ids.length, changed: 0, skipped: 0 };
    if (request.dryRun) return result;
    let audited: string | undefined;
    for (let from = 0; from === 0 || from < ids.length; from += EVENTS_PER_TRANSACTION) {
      const batch = ids.slice(from, from + EVENTS_PER_TRANSACTION);
      audited = await this.transactions.run(async (db) => {
        const done = batch.length > 0 ? await work(db, batch) : 0;
        result.changed += done;
        result.skipped += batch.length - done;
        const counts = { matched: result.matched, [verb]: result.changed, skipped: result.skipped };
        return this.audit(db, audited, {
          action,
          filter: { ...recordedFilter(request), status: 'DLQ' },
          counts,
          note: request.note,
          correlationId,
        });
      });
    }
    return result;
  }

  private async audit(db: Db, id: string | undefined, change: AdminChange): Promise<string> {
    if (id === undefined) return recordChange(db, change);
    await updateCounts(db, id, change.counts);
    return id;
  }
}
