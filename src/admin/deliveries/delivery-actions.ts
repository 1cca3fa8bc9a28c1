import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DeliveryKey, DeliveryStatus } from '../../delivery-state/delivery';
import { discardDeliveries } from '../../delivery-state/discard-deliveries.queries';
import { hurryDeliveries, reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import { recordActionOnEvents } from '../audit/event-actions.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { inParts } from '../endpoint/in-parts';
import { BulkActions, type BulkVerb, type Changed } from '../events/bulk-actions';
import { namedBy } from '../events/matching-events';
import type { DiscardDeliveriesRequest, RetryDeliveriesRequest } from './deliveries.requests';
import type { ListedDelivery } from './deliveries.responses';
import { findMatchingDeliveries } from './matching-deliveries';

interface DeliveryVerb extends Pick<BulkVerb<ListedDelivery>, 'action' | 'counted' | 'named'> {
  status: DeliveryStatus;
  /** Returns the deliveries that it changed. */
  work: (db: PoolClient, keys: readonly DeliveryKey[]) => Promise<DeliveryKey[]>;
}

/** Retries and discards deliveries. */
@Injectable()
export class DeliveryActions {
  constructor(private readonly bulk: BulkActions) {}

  /** The sweep of the workers finds what has become due. */
  retry(request: RetryDeliveriesRequest, headers: ActionHeaders): Promise<Changed> {
    const { status = 'FAILED' } = request;
    const work = status === 'RETRYING' ? hurryDeliveries : reopenDeliveries;
    const named = namedBy(request, headers.acting);
    return this.change(request, headers, { action: 'deliveries.retry', counted: 'retried', status, named, work });
  }

  discard(request: DiscardDeliveriesRequest, headers: ActionHeaders): Promise<Changed> {
    const { status = 'FAILED' } = request;
    const work = discardDeliveries;
    return this.change(request, headers, { action: 'deliveries.discard', counted: 'discarded', status, work });
  }

  private change(
    request: RetryDeliveriesRequest | DiscardDeliveriesRequest,
    headers: ActionHeaders,
    { work, ...verb }: DeliveryVerb,
  ): Promise<Changed> {
    const wanted = { ...request, status: verb.status };
    return this.bulk.run(request, headers, {
      ...verb,
      find: (db, limit) => findMatchingDeliveries(db, wanted, headers.acting, limit),
      change: (db, found, actionId) =>
        inParts(keysOf(found), async (part) => {
          const changed = await work(db, part);
          await recordActionOnEvents(db, actionId, changed);
          return changed.length;
        }),
    });
  }
}

/** The keys in the order in which all transactions lock deliveries. */
function keysOf(newestFirst: readonly ListedDelivery[]): DeliveryKey[] {
  return newestFirst
    .map(({ id, destinationId, generation }) => ({ eventId: id, destinationId, generation }))
    .toReversed();
}
