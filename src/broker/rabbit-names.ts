import type { QueueName } from './broker';

/** The names in RabbitMQ. */
export interface RabbitNames {
  /** Of all messages. The routing keys are the names of the queues without a namespace. */
  exchange: string;
  /** Exchange and queue of parked messages. */
  safety: string;
  /** The queue of messages that carry several entries of `events.main`. Its routing key is BUNDLES. */
  bundles: string;
  /** The queue that names the installation whose virtual host this is. */
  installation: string;
  queue: (name: QueueName) => string;
}

/**
 * Builds that cannot read bundles do not consume this queue, so that they never see one. Bundles are a matter of RabbitMQ:
 * to publisher and worker, their entries are messages of `events.main`.
 */
export const BUNDLES = 'events.bundles';

/** @param namespace BROKER_NAMESPACE; empty: none */
export function namesIn(namespace: string): RabbitNames {
  const within = (name: string): string => (namespace === '' ? name : `${namespace}.${name}`);
  return {
    exchange: within('events'),
    safety: within('events.safety'),
    bundles: within(BUNDLES),
    installation: within('events.installation'),
    queue: within,
  };
}
