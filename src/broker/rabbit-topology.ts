import type { Channel, ChannelModel } from 'amqplib';
import { BrokerMisconfigured, QUEUES } from './broker';

export const EXCHANGE = 'events';

/**
 * Exchange and queue of the messages that workers park, and of those that exceed the delivery limit of RabbitMQ 4. The
 * reconciler dispatches their events again.
 */
export const SAFETY = 'events.safety';

const QUORUM = { 'x-queue-type': 'quorum' };
const DEAD_LETTERS_TO_SAFETY = { ...QUORUM, 'x-dead-letter-exchange': SAFETY };
/**
 * For queues that nobody may consume. They drop their oldest messages; without a dead-letter exchange, these move nowhere.
 * The second bound is 64 MB.
 */
export const BOUNDED = {
  ...QUORUM,
  'x-max-length': 100_000,
  'x-max-length-bytes': 67_108_864,
  'x-overflow': 'drop-head',
};

interface BoundedQueue {
  queue: string;
  exchange: string;
  /** How the build before declares it. The arguments of a queue that exists cannot be changed. */
  before: Record<string, string>;
}
const PARKED: BoundedQueue = { queue: SAFETY, exchange: SAFETY, before: QUORUM };
const COPIES: BoundedQueue = { queue: QUEUES.dlq, exchange: EXCHANGE, before: DEAD_LETTERS_TO_SAFETY };
const PRECONDITION_FAILED = 406;
const ACCESS_REFUSED = 403;

export interface Topology {
  connection: ChannelModel;
  /** Whether `events.dlq` is declared, which gets the references to dead letters (DLQ_COPY). */
  deadLetterCopies: boolean;
}

/**
 * Declares queues and exchanges, only with arguments that mean the same on RabbitMQ 3.10 and 4.x. Declaring an existing
 * one again is cheap. Nothing is ever deleted. Returns the queues that should have a bound and have none, because the
 * build before has declared them: its processes go on declaring them that way, so they stay until an operator deletes them.
 * @throws BrokerMisconfigured when one exists with other arguments, or the user may not declare it.
 */
export async function assertTopology(channel: Channel, topology: Topology): Promise<string[]> {
  try {
    return await declare(channel, topology);
  } catch (error) {
    throw misconfiguration(error) ?? error;
  }
}

async function declare(channel: Channel, { connection, deadLetterCopies }: Topology): Promise<string[]> {
  await channel.assertExchange(EXCHANGE, 'direct', { durable: true });
  await channel.assertExchange(SAFETY, 'fanout', { durable: true });
  const unbounded: string[] = [];
  for (const one of deadLetterCopies ? [PARKED, COPIES] : [PARKED]) {
    if (!(await declareBounded(connection, one))) unbounded.push(one.queue);
  }
  for (const queue of [QUEUES.main, QUEUES.retry]) {
    await channel.assertQueue(queue, { durable: true, arguments: DEAD_LETTERS_TO_SAFETY });
    await channel.bindQueue(queue, EXCHANGE, queue);
  }
  return unbounded;
}

/** Returns false if the queue is that of the build before. */
async function declareBounded(connection: ChannelModel, bounded: BoundedQueue): Promise<boolean> {
  try {
    await declareApart(connection, bounded, BOUNDED);
    return true;
  } catch (error) {
    if ((error as { code?: number }).code !== PRECONDITION_FAILED) throw error;
  }
  await declareApart(connection, bounded, bounded.before);
  return false;
}

/** On a channel of its own, because RabbitMQ closes the channel when the queue exists with other arguments. */
async function declareApart(
  connection: ChannelModel,
  { queue, exchange }: BoundedQueue,
  args: Record<string, unknown>,
): Promise<void> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // the calls below reject with the same error
  await channel.assertQueue(queue, { durable: true, arguments: args });
  await channel.bindQueue(queue, exchange, queue);
  await channel.close();
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
