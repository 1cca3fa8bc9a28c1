import type { Channel } from 'amqplib';
import { BrokerMisconfigured, QUEUES } from './broker';

export const EXCHANGE = 'events';

/** Where RabbitMQ puts what no consumer could settle (delivery limit of RabbitMQ 4); the reconciler re-drives it. */
const SAFETY_EXCHANGE = 'events.safety';

const QUORUM = { 'x-queue-type': 'quorum' };
const PRECONDITION_FAILED = 406;
const ACCESS_REFUSED = 403;

/**
 * Declares only what means the same on RabbitMQ 3.10 and 4.x. Asserting what exists is free, and nothing is ever deleted
 * from here.
 * @throws BrokerMisconfigured when something of that name is there with other arguments, or may not be declared.
 */
export async function assertTopology(channel: Channel): Promise<void> {
  try {
    await declare(channel);
  } catch (error) {
    throw misconfiguration(error) ?? error;
  }
}

async function declare(channel: Channel): Promise<void> {
  await channel.assertExchange(EXCHANGE, 'direct', { durable: true });
  await channel.assertExchange(SAFETY_EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue(SAFETY_EXCHANGE, { durable: true, arguments: QUORUM });
  await channel.bindQueue(SAFETY_EXCHANGE, SAFETY_EXCHANGE, '');
  for (const queue of Object.values(QUEUES)) {
    await channel.assertQueue(queue, {
      durable: true,
      arguments: { ...QUORUM, 'x-dead-letter-exchange': SAFETY_EXCHANGE },
    });
    await channel.bindQueue(queue, EXCHANGE, queue);
  }
}

function misconfiguration(error: unknown): BrokerMisconfigured | undefined {
  const { code, message = '' } = error as { code?: number; message?: string };
  const found = /inequivalent arg .*|access to .* refused.*/.exec(message)?.[0] ?? `RabbitMQ answered ${code}`;
  if (code === PRECONDITION_FAILED) {
    return new BrokerMisconfigured(
      `A queue or exchange of ours exists in RabbitMQ with other arguments: ${found}. Nothing was changed, and nothing ` +
        'is published or consumed until this is put right: stop what declares it, let a worker of that version empty ' +
        'it, and delete it by hand; or point RABBITMQ_URL to another virtual host.',
    );
  }
  if (code === ACCESS_REFUSED) {
    return new BrokerMisconfigured(
      `RabbitMQ does not let our user declare its queues: ${found}. Give it configure, write and read permissions for ` +
        "'^events' on this virtual host.",
    );
  }
  return undefined;
}
