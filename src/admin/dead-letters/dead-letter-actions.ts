import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import type { DeliveryKey } from '../../delivery-state/delivery';
import { discardDeliveries } from '../../delivery-state/discard-deliveries.queries';
import { reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import { discardDeadLetters } from '../../event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../event-state/dispatch-dead-letters.queries';
import { recordActionOnEvents, type ChangedByAction } from '../audit/event-actions.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { inParts } from '../endpoint/in-parts';
import { BulkActions, type BulkVerb, type Changed } from '../events/bulk-actions';
import type { BulkRequest } from '../events/bulk-request';
import { criteriaOf } from '../events/event-criteria';
import { findMatching, namedBy } from '../events/matching-events';
import { listDeadDeliveries } from './dead-letters.queries';

interface DeadLetterVerb extends Pick<BulkVerb<string>, 'action' | 'counted' | 'named'> {
  /** Changes the dead letters of handlers. Returns the changed events. */
  letters: (db: PoolClient, ids: readonly string[]) => Promise<ChangedByAction[]>;
  /** Returns the deliveries that it changed. */
  deliveries: (db: PoolClient, keys: readonly DeliveryKey[]) => Promise<DeliveryKey[]>;
}

/** Retries and discards dead letters. */
@Injectable()
export class DeadLetterActions {
  constructor(
    private readonly bulk: BulkActions,
    private readonly wakeUp: WakeUp,
  ) {}

  async retry(request: BulkRequest, headers: ActionHeaders): Promise<Changed> {
    const changed = await this.change(request, headers, {
      action: 'dlq.retry',
      counted: 'retried',
      named: namedBy(request, headers.acting),
      letters: async (db, ids) => (await dispatchDeadLetters(db, ids)).map(({ eventId }) => ({ eventId })),
      deliveries: reopenDeliveries,
    });
    this.wakeUp.signal();
    return changed;
  }

  discard(request: BulkRequest, headers: ActionHeaders): Promise<Changed> {
    return this.change(request, headers, {
      action: 'dlq.discard',
      counted: 'discarded',
      letters: async (db, ids) => (await discardDeadLetters(db, ids, request.note)).map((eventId) => ({ eventId })),
      deliveries: discardDeliveries,
    });
  }

  private change(
    request: BulkRequest,
    headers: ActionHeaders,
    { letters, deliveries, ...verb }: DeadLetterVerb,
  ): Promise<Changed> {
    const { acting } = headers;
    const dead = { ...request, status: 'DLQ' } as const;
    return this.bulk.run(request, headers, {
      ...verb,
      status: dead.status,
      find: async (db, limit) => (await findMatching(db, dead, acting, limit)).events.map(({ id }) => id).sort(),
      // States before deliveries, as all transactions lock them, so in two runs over all parts.
      change: async (db, ids, actionId) => {
        const criteria = criteriaOf(dead, acting);
        const change = (work: (part: readonly string[]) => Promise<ChangedByAction[]>) =>
          inParts(ids, async (part) => {
            const changed = await work(part);
            await recordActionOnEvents(db, actionId, changed);
            return new Set(changed.map(({ eventId }) => eventId)).size;
          });
        const ofHandlers = await change((part) => letters(db, part));
        return (
          ofHandlers + (await change(async (part) => deliveries(db, await listDeadDeliveries(db, part, criteria))))
        );
      },
    });
  }
}
