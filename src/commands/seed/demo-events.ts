/** An event of the demo tenant, which is a shop. Every run sends the same events, so seeding twice adds nothing. */
export interface DemoEvent {
  eventId: string;
  eventType: string;
  subject: string;
  source: string;
  payload: Record<string, unknown>;
}

export const DEMO_TENANT = 'demo';

const ITEMS = ['espresso', 'croissant', 'newspaper', 'umbrella'];

export function demoEvents(): DemoEvent[] {
  const sales = numbers(40).map((n) =>
    event(n, 'sale.completed', `order-${n}`, 'pos-berlin', { amount: 3.5 * n, currency: 'EUR' }),
  );
  const refunds = numbers(5).map((n) =>
    event(n, 'sale.refunded', `order-${n * 7}`, 'pos-berlin', { amount: 3.5, reason: 'returned' }),
  );
  const stock = numbers(25).map((n) =>
    event(n, 'stock.moved', `sku-${ITEMS[n % ITEMS.length]}`, 'warehouse', { delta: -1, left: 100 - n }),
  );
  const users = numbers(10).map((n) =>
    event(n, 'user.signed-up', `user-${n}`, 'web', { plan: n % 3 === 0 ? 'pro' : 'free' }),
  );
  return [...sales, ...refunds, ...stock, ...users];
}

/** These end in the DLQ: their receiver is not there yet. */
export function refusedEvents(): DemoEvent[] {
  return numbers(6).map((n) => invoice(n, 49.9 + n));
}

/** This one ends in the DLQ as well: its receiver refuses it for its amount, which is text. */
export function unreadableEvents(): DemoEvent[] {
  return [invoice(7, '56,90')];
}

function invoice(n: number, amount: unknown): DemoEvent {
  return event(n, 'invoice.overdue', `invoice-${n}`, 'billing', { days: 30 + n, amount });
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function event(
  n: number,
  eventType: string,
  subject: string,
  source: string,
  payload: Record<string, unknown>,
): DemoEvent {
  return { eventId: `demo-${eventType}-${n}`, eventType, subject, source, payload };
}
