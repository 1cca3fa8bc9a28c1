import type { Channel } from 'amqplib';
import { QUEUES } from './broker';

export const EXCHANGE = 'events';

/** Where RabbitMQ puts what no consumer could settle (delivery limit of RabbitMQ 4); the reconciler re-drives it. */
const SAFETY_EXCHANGE = 'events.safety';

/**
 * Declares only what means the same on RabbitMQ 3.10 and 4.x. Asserting what exists is free; an existing queue with
 * other arguments closes the channel with 406, and nothing is ever deleted from here.
 */
export async function assertTopology(channel: Channel): Promise<void> {
  await channel.assertExchange(EXCHANGE, 'direct', { durable: true });
  await channel.assertExchange(SAFETY_EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue(SAFETY_EXCHANGE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(SAFETY_EXCHANGE, SAFETY_EXCHANGE, '');
  for (const queue of Object.values(QUEUES)) {
    await channel.assertQueue(queue, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': SAFETY_EXCHANGE },
    });
    await channel.bindQueue(queue, EXCHANGE, queue);
  }
}
