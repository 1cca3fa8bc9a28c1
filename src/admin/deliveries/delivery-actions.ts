import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { tenantsCovered } from '../../access/acting-operator';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { DeliveryKey, DeliveryStatus } from '../../delivery-state/delivery';
import { discardDeliveries } from '../../delivery-state/discard-deliveries.queries';
import { hurryDeliveries, reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import type { Changed } from '../dead-letters/dead-letter-actions';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { inParts } from '../endpoint/in-parts';
import { limitOf, recordedFilter } from '../events/bulk-request';
import type { DiscardDeliveriesRequest, RetryDeliveriesRequest } from './deliveries.requests';
import { findMatchingDeliveries } from './matching-deliveries';

interface DeliveryVerb {
  action: 'deliveries.retry' | 'deliveries.discard';
  /** The name of the count of changed deliveries. */
  counted: string;
  status: DeliveryStatus;
  work: (db: PoolClient, keys: readonly DeliveryKey[]) => Promise<number>;
}

/** Retries and discards deliveries. An action is one transaction, so its response tells what was committed. */
@Injectable()
export class DeliveryActions {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
  ) {}

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

  private async change(
    request: RetryDeliveriesRequest | DiscardDeliveriesRequest,
    { acting, idempotencyKey: key }: ActionHeaders,
    { action, counted, status, work }: DeliveryVerb,
  ): Promise<Changed> {
    const { correlationId } = acting;
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    const wanted = { ...request, status };
    const found = await this.transactions.read((db) => findMatchingDeliveries(db, wanted, acting, limit));
    const matched = found.length;
    if (request.dryRun) return { actionId: null, matched, changed: 0, skipped: 0, correlationId, repeated: false };
    const keys = found
      .map(({ id, destinationId, generation }) => ({ eventId: id, destinationId, generation }))
      .reverse();
    const { note } = request;
    const filter = { ...recordedFilter(request), status };
    const done = await this.actions.run({
      action,
      filter,
      note,
      acting,
      tenantIds: tenantsCovered(acting, request.tenantId),
      idempotency: { key, asked: { filter, limit, note } },
      work: async (db) => {
        const changed = await inParts(keys, (part) => work(db, part));
        return { counts: { matched, [counted]: changed, skipped: matched - changed }, result: undefined };
      },
    });
    const { matched: selected = 0, [counted]: changed = 0, skipped = 0 } = done.counts;
    const { id: actionId, repeated } = done;
    return { actionId, matched: selected, changed, skipped, correlationId: done.correlationId, repeated };
  }
}

async function countReopened(db: PoolClient, keys: readonly DeliveryKey[]): Promise<number> {
  return (await reopenDeliveries(db, keys)).length;
}
