import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { tenantsCovered } from '../../access/acting-operator';
import { WakeUp } from '../../redis/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { DeliveryKey } from '../../delivery-state/delivery';
import { discardDeliveries } from '../../delivery-state/discard-deliveries.queries';
import { reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import { discardDeadLetters } from '../../event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../event-state/dispatch-dead-letters.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { inParts } from '../endpoint/in-parts';
import { limitOf, recordedFilter, type BulkRequest } from '../events/bulk-request';
import { criteriaOf, type EventCriteria } from '../events/event-criteria';
import { findMatching } from '../events/matching-events';
import { listDeadDeliveries } from './dead-letters.queries';

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
  /** Changes the dead letters of handlers. Returns the number of changed events. */
  letters: (db: PoolClient, ids: readonly string[]) => Promise<number>;
  deliveries: (db: PoolClient, keys: readonly DeliveryKey[]) => Promise<number>;
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
      letters: async (db, ids) => (await dispatchDeadLetters(db, ids)).length,
      deliveries: async (db, keys) => (await reopenDeliveries(db, keys)).length,
    });
    this.wakeUp.signal();
    return changed;
  }

  discard(request: BulkRequest, headers: ActionHeaders): Promise<Changed> {
    return this.change(request, headers, {
      action: 'dlq.discard',
      counted: 'discarded',
      letters: (db, ids) => discardDeadLetters(db, ids, request.note),
      deliveries: discardDeliveries,
    });
  }

  private async change(
    request: BulkRequest,
    headers: ActionHeaders,
    { action, counted, letters, deliveries }: Verb,
  ): Promise<Changed> {
    const { acting, idempotencyKey: key } = headers;
    const { correlationId } = acting;
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    const dead = { ...request, status: 'DLQ' } as const;
    const { events } = await this.transactions.read((db) => findMatching(db, dead, acting, limit));
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
        // States before deliveries, as all transactions lock them, so in two runs over all parts.
        const ofHandlers = await inParts(ids, (part) => letters(db, part));
        const criteria = criteriaOf(dead, acting);
        const changed =
          ofHandlers + (await inParts(ids, (part) => changeDeliveries(db, { ids: part, criteria }, deliveries)));
        return { counts: { matched, [counted]: changed, skipped: matched - changed }, result: undefined };
      },
    });
    const { counts, id, repeated } = done;
    const { matched: found = 0, [counted]: changed = 0, skipped = 0 } = counts;
    return { actionId: id, matched: found, changed, skipped, correlationId: done.correlationId, repeated };
  }
}

/** Changes the failed deliveries of events whose handlers are done. Returns the number of events with a change. */
async function changeDeliveries(
  db: PoolClient,
  { ids, criteria }: { ids: readonly string[]; criteria: EventCriteria },
  change: Verb['deliveries'],
): Promise<number> {
  const before = await listDeadDeliveries(db, ids, criteria);
  if (before.length === 0) return 0;
  if ((await change(db, before)) === before.length) return new Set(before.map(({ eventId }) => eventId)).size;
  const after = new Set((await listDeadDeliveries(db, ids, criteria)).map(textOf));
  return new Set(before.filter((key) => !after.has(textOf(key))).map(({ eventId }) => eventId)).size;
}

const textOf = ({ eventId, destinationId }: DeliveryKey): string => `${eventId} ${destinationId}`;
