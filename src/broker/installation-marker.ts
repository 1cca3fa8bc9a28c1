import type { Channel } from 'amqplib';
import { InstallationMoved, type Installation } from '../integrity/installation';
import { BrokerMisconfigured } from './broker';
import type { RabbitNames } from './rabbit-names';

/**
 * The marker is a queue that never has a message. AMQP lists neither bindings nor arguments, and cannot give the arguments
 * of a queue, except by the error when it is declared again with others: "inequivalent arg 'x-dead-letter-routing-key' …
 * received 'ours' but current is 'theirs'". RabbitMQ compares the arguments that it knows only, and of these, the routing
 * key of dead letters is the one that may be any text. So it holds the id of the installation.
 */
const markerOf = (owner: string, { safety }: RabbitNames): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-max-length': 1,
  'x-dead-letter-exchange': safety,
  'x-dead-letter-routing-key': owner,
});

const OTHER_OWNER = /'x-dead-letter-routing-key' for queue .* but current is '([^']+)'/;

/**
 * Marks the virtual host as that of this installation. Two installations that do so at once cannot both succeed.
 * @throws BrokerMisconfigured if it is marked as that of another one; the broker has closed the channel then
 */
export async function markAsOwn(channel: Channel, owner: string, names: RabbitNames): Promise<void> {
  try {
    await channel.assertQueue(names.installation, { durable: true, arguments: markerOf(owner, names) });
  } catch (error) {
    const other = OTHER_OWNER.exec(error instanceof Error ? error.message : '')?.[1];
    if (other === undefined) throw error;
    throw new BrokerMisconfigured(
      `The virtual host belongs to another installation of StreamForge: the queue ${names.installation} names ${other}, ` +
        `and this database is the installation ${owner}. Nothing is published or consumed. Set RABBITMQ_URL to another ` +
        'virtual host, or BROKER_NAMESPACE to a name that the other installation does not use; or delete that queue, if ' +
        'the other installation is gone for good.',
    );
  }
}

/**
 * Reads the id of the installation.
 * @throws BrokerMisconfigured if it may not act; the error of PostgreSQL if it cannot be reached
 */
export async function requireOwner(installation: Installation): Promise<string | undefined> {
  try {
    return await installation.require();
  } catch (error) {
    throw error instanceof InstallationMoved ? new BrokerMisconfigured(error.message) : error;
  }
}
