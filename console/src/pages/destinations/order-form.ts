import type { Schema } from '../../api/endpoints';

export type Order = Pick<Schema<'DestinationResponse'>, 'ordering' | 'onPoison' | 'latestOnly'>;

/** The values of the field, what they mean, and what is sent. */
export const ORDERS: [string, string, Pick<Order, 'ordering' | 'onPoison'>][] = [
  ['none', 'as soon as they can be', { ordering: 'none', onPoison: 'block' }],
  ['block', 'one of a key after the other; a failed one blocks its key', { ordering: 'key', onPoison: 'block' }],
  ['skip', 'one of a key after the other; a failed one is passed over', { ordering: 'key', onPoison: 'skip' }],
];

/** @throws Error if only the latest are wanted without an order */
export function orderIn(form: FormData): Order {
  const order = ORDERS.find(([value]) => value === form.get('order'))?.[2] ?? { ordering: 'none', onPoison: 'block' };
  const latestOnly = form.get('latest') !== null;
  if (latestOnly && order.ordering === 'none') throw new Error('Only the latest of a key: choose an order by key too.');
  return { ...order, latestOnly };
}
