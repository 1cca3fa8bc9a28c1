import { Injectable } from '@nestjs/common';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { TransactionalCall, TransactionalHandler } from '../handler';
import { addUsage, type UsageIncrement } from './usage-meter.queries';

/**
 * Counts events and bytes per tenant, UTC day of receipt and type, once per generation that succeeds. A dead letter
 * counts when a retry succeeds. It runs in the transaction of the attempt, so its sums equal the number of successes.
 * Tests use them to prove that no event is processed twice.
 */
@Injectable()
export class UsageMeter implements TransactionalHandler {
  readonly kind = 'transactional';
  readonly name = 'usage-meter';
  readonly eventTypes = ['*'];
  readonly onlyOnCompletion = true;
  readonly isBuiltIn = true;

  async handle(events: readonly DispatchedEvent[], { db }: TransactionalCall): Promise<void> {
    const rows = new Map<string, UsageIncrement>();
    for (const { tenantId, type, receivedAt, sizeBytes } of events) {
      const day = receivedAt.slice(0, 10);
      const key = `${tenantId}\n${day}\n${type}`; // only the last part may have a line feed
      const row = rows.get(key) ?? { tenantId, day, type, events: 0, bytes: 0 };
      row.events += 1;
      row.bytes += sizeBytes;
      rows.set(key, row);
    }
    await addUsage(db, [...rows.values()]);
  }
}
