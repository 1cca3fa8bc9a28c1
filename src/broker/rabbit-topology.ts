import type { Channel } from 'amqplib';
import { BrokerMisconfigured, QUEUES } from './broker';

export const EXCHANGE = 'events';

/** Receives the messages that exceed the delivery limit of RabbitMQ 4. The reconciler dispatches their events again. */
const SAFETY_EXCHANGE = 'events.safety';

const QUORUM = { 'x-queue-type': 'quorum' };
const PRECONDITION_FAILED = 406;
const ACCESS_REFUSED = 403;

/**
 * Declares queues and exchanges, only with arguments that mean the same on RabbitMQ 3.10 and 4.x. Declaring an existing
 * one again is cheap. Nothing is ever deleted.
 * @throws BrokerMisconfigured when one exists with other arguments, or the user may not declare it.
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
      `A queue or exchange of StreamForge exists in RabbitMQ with other arguments: ${found}. StreamForge has changed ` +
        'nothing, and publishes and consumes nothing until this is fixed. Stop the program that declares it, let the ' +
        'version of StreamForge that created it empty it, and delete it by hand; or set RABBITMQ_URL to another ' +
        'virtual host.',
    );
  }
  if (code === ACCESS_REFUSED) {
    return new BrokerMisconfigured(
      `The RabbitMQ user may not declare the queues of StreamForge: ${found}. Give it configure, write and read ` +
        "permissions for '^events' on this virtual host.",
    );
  }
  return undefined;
}
