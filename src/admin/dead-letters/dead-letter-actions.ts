import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { tenantsCovered } from '../../access/acting-operator';
import { WakeUp } from '../../redis/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { discardDeadLetters } from '../../event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../event-state/dispatch-dead-letters.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { inParts } from '../endpoint/in-parts';
import { limitOf, recordedFilter, type BulkRequest } from '../events/bulk-request';
import { findMatching } from '../events/matching-events';

export interface Changed {
  /** Null in a dry run. */
  actionId: string | null;
  matched: number;
  changed: number;
  skipped: number;
  correlationId: string;
  /** The action had been carried out before, for an earlier request with the same idempotency key. */
  repeated: boolean;
}

interface Verb {
  action: 'dlq.retry' | 'dlq.discard';
  /** The name of the count of changed events. */
  counted: string;
  work: (db: PoolClient, ids: readonly string[]) => Promise<number>;
}

/** Retries and discards dead letters. An action is one transaction, so its response tells what was committed. */
@Injectable()
export class DeadLetterActions {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
    private readonly wakeUp: WakeUp,
  ) {}

  async retry(request: BulkRequest, headers: ActionHeaders): Promise<Changed> {
    const changed = await this.change(request, headers, {
      action: 'dlq.retry',
      counted: 'retried',
      work: async (db, ids) => (await dispatchDeadLetters(db, ids)).length,
    });
    this.wakeUp.signal();
    return changed;
  }

  discard(request: BulkRequest, headers: ActionHeaders): Promise<Changed> {
    return this.change(request, headers, {
      action: 'dlq.discard',
      counted: 'discarded',
      work: (db, ids) => discardDeadLetters(db, ids, request.note),
    });
  }

  private async change(
    request: BulkRequest,
    headers: ActionHeaders,
    { action, counted, work }: Verb,
  ): Promise<Changed> {
    const { acting, idempotencyKey: key } = headers;
    const { correlationId } = acting;
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    const letters = { ...request, status: 'DLQ' } as const;
    const { events } = await this.transactions.read((db) => findMatching(db, letters, acting, limit));
    const matched = events.length;
    if (request.dryRun) return { actionId: null, matched, changed: 0, skipped: 0, correlationId, repeated: false };
    const ids = events.map(({ id }) => id).sort();
    const { note } = request;
    const filter = { ...recordedFilter(request), status: 'DLQ' };
    const done = await this.actions.run({
      action,
      filter,
      note,
      acting,
      tenantIds: tenantsCovered(acting, request.tenantId),
      idempotency: { key, asked: { filter, limit, note } },
      work: async (db) => {
        const changed = await inParts(ids, (part) => work(db, part));
        return { counts: { matched, [counted]: changed, skipped: matched - changed }, result: undefined };
      },
    });
    const { counts, id, repeated } = done;
    const { matched: found = 0, [counted]: changed = 0, skipped = 0 } = counts;
    return { actionId: id, matched: found, changed, skipped, correlationId: done.correlationId, repeated };
  }
}
