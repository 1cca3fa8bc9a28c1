import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import type { DeliveryKey } from '../../delivery-state/delivery';
import { discardDeliveries } from '../../delivery-state/discard-deliveries.queries';
import { reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import { discardDeadLetters } from '../../event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../event-state/dispatch-dead-letters.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { inParts } from '../endpoint/in-parts';
import { BulkActions, type BulkVerb, type Changed } from '../events/bulk-actions';
import type { BulkRequest } from '../events/bulk-request';
import { criteriaOf, type EventCriteria } from '../events/event-criteria';
import { findMatching } from '../events/matching-events';
import { listDeadDeliveries } from './dead-letters.queries';

interface DeadLetterVerb extends Pick<BulkVerb<string>, 'action' | 'counted'> {
  /** Changes the dead letters of handlers. Returns the number of changed events. */
  letters: (db: PoolClient, ids: readonly string[]) => Promise<number>;
  deliveries: (db: PoolClient, keys: readonly DeliveryKey[]) => Promise<number>;
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
      change: async (db, ids) => {
        const criteria = criteriaOf(dead, acting);
        const ofHandlers = await inParts(ids, (part) => letters(db, part));
        return ofHandlers + (await inParts(ids, (part) => changeDeliveries(db, { ids: part, criteria }, deliveries)));
      },
    });
  }
}

/** Changes the failed deliveries of events whose handlers are done. Returns the number of events with a change. */
async function changeDeliveries(
  db: PoolClient,
  { ids, criteria }: { ids: readonly string[]; criteria: EventCriteria },
  change: DeadLetterVerb['deliveries'],
): Promise<number> {
  const before = await listDeadDeliveries(db, ids, criteria);
  if (before.length === 0) return 0;
  if ((await change(db, before)) === before.length) return new Set(before.map(({ eventId }) => eventId)).size;
  const after = new Set((await listDeadDeliveries(db, ids, criteria)).map(textOf));
  return new Set(before.filter((key) => !after.has(textOf(key))).map(({ eventId }) => eventId)).size;
}

const textOf = ({ eventId, destinationId }: DeliveryKey): string => `${eventId} ${destinationId}`;
