import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DeliveryKey, DeliveryStatus } from '../../delivery-state/delivery';
import { discardDeliveries } from '../../delivery-state/discard-deliveries.queries';
import { hurryDeliveries, reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { inParts } from '../endpoint/in-parts';
import { BulkActions, type BulkVerb, type Changed } from '../events/bulk-actions';
import type { DiscardDeliveriesRequest, RetryDeliveriesRequest } from './deliveries.requests';
import type { ListedDelivery } from './deliveries.responses';
import { findMatchingDeliveries } from './matching-deliveries';

interface DeliveryVerb extends Pick<BulkVerb<ListedDelivery>, 'action' | 'counted'> {
  status: DeliveryStatus;
  work: (db: PoolClient, keys: readonly DeliveryKey[]) => Promise<number>;
}

/** Retries and discards deliveries. */
@Injectable()
export class DeliveryActions {
  constructor(private readonly bulk: BulkActions) {}

  /** The sweep of the workers finds what has become due. */
  retry(request: RetryDeliveriesRequest, headers: ActionHeaders): Promise<Changed> {
    const { status = 'FAILED' } = request;
    const work = status === 'RETRYING' ? hurryDeliveries : countReopened;
    return this.change(request, headers, { action: 'deliveries.retry', counted: 'retried', status, work });
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
      change: (db, found) => inParts(keysOf(found), (part) => work(db, part)),
    });
  }
}

/** The keys in the order in which all transactions lock deliveries. */
function keysOf(newestFirst: readonly ListedDelivery[]): DeliveryKey[] {
  return newestFirst
    .map(({ id, destinationId, generation }) => ({ eventId: id, destinationId, generation }))
    .toReversed();
}

async function countReopened(db: PoolClient, keys: readonly DeliveryKey[]): Promise<number> {
  return (await reopenDeliveries(db, keys)).length;
}
