import type { StoredDelivery } from '../../evidence/evidence';
import type { Finding } from './finding';

/** A backfill makes deliveries only of events that the destination did not get, and never while one is open. */
export function checkBackfills(deliveries: readonly StoredDelivery[]): Finding[] {
  const inOrder = [...deliveries].sort((a, b) => a.generation - b.generation);
  return inOrder.flatMap((delivery, i): Finding[] => {
    const before = inOrder[i - 1];
    if (!delivery.isBackfilled || before?.status !== 'DELIVERED') return [];
    return [['repeated', `a backfill followed delivery ${before.generation}, which is DELIVERED`]];
  });
}
