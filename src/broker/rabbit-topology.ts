import type { Channel, ChannelModel } from 'amqplib';
import { BrokerMisconfigured, QUEUES } from './broker';
import { markAsOwn } from './installation-marker';
import { BUNDLES, type RabbitNames } from './rabbit-names';

const QUORUM = { 'x-queue-type': 'quorum' };
/** Messages that workers park, and those that exceed the delivery limit of RabbitMQ 4. The reconciler dispatches their events again. */
const deadLettersTo = (safety: string): Record<string, string> => ({ ...QUORUM, 'x-dead-letter-exchange': safety });
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
  routingKey: string;
  /** How the build before declares it. The arguments of a queue that exists cannot be changed. */
  before: Record<string, string>;
}
const parked = ({ safety }: RabbitNames): BoundedQueue => ({
  queue: safety,
  exchange: safety,
  routingKey: safety,
  before: QUORUM,
});
const copies = ({ exchange, safety, queue }: RabbitNames): BoundedQueue => ({
  queue: queue(QUEUES.dlq),
  exchange,
  routingKey: QUEUES.dlq,
  before: deadLettersTo(safety),
});
const PRECONDITION_FAILED = 406;
const ACCESS_REFUSED = 403;

export interface Topology {
  connection: ChannelModel;
  /** Whether `events.dlq` is declared, which gets the references to dead letters (DLQ_COPY). */
  deadLetterCopies: boolean;
  names: RabbitNames;
  /** The id of this installation; undefined: the virtual host is not marked. */
  owner: string | undefined;
}

/**
 * Declares queues and exchanges, only with arguments that mean the same on RabbitMQ 3.10 and 4.x. Declaring an existing
 * one again is cheap. Nothing is ever deleted. Returns the queues that should have a bound and have none, because the
 * build before has declared them: its processes go on declaring them that way, so they stay until an operator deletes them.
 * @throws BrokerMisconfigured when the virtual host belongs to another installation, one of them exists with other
 * arguments, or the user may not declare it.
 */
export async function assertTopology(channel: Channel, topology: Topology): Promise<string[]> {
  try {
    if (topology.owner !== undefined) await markAsOwn(channel, topology.owner, topology.names);
    return await declare(channel, topology);
  } catch (error) {
    throw misconfiguration(error, topology.names) ?? error;
  }
}

async function declare(channel: Channel, { connection, deadLetterCopies, names }: Topology): Promise<string[]> {
  await channel.assertExchange(names.exchange, 'direct', { durable: true });
  await channel.assertExchange(names.safety, 'fanout', { durable: true });
  const unbounded: string[] = [];
  for (const one of deadLetterCopies ? [parked(names), copies(names)] : [parked(names)]) {
    if (!(await declareBounded(connection, one))) unbounded.push(one.queue);
  }
  const consumed = [
    [names.queue(QUEUES.main), QUEUES.main],
    [names.queue(QUEUES.retry), QUEUES.retry],
    [names.bundles, BUNDLES],
  ] as const;
  for (const [queue, routingKey] of consumed) {
    await channel.assertQueue(queue, { durable: true, arguments: deadLettersTo(names.safety) });
    await channel.bindQueue(queue, names.exchange, routingKey);
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
  { queue, exchange, routingKey }: BoundedQueue,
  args: Record<string, unknown>,
): Promise<void> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // the calls below reject with the same error
  await channel.assertQueue(queue, { durable: true, arguments: args });
  await channel.bindQueue(queue, exchange, routingKey);
  await channel.close();
}

function misconfiguration(error: unknown, { exchange }: RabbitNames): BrokerMisconfigured | undefined {
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
        `permissions for '^${exchange.replaceAll('.', '\\.')}' on this virtual host.`,
    );
  }
  return undefined;
}
