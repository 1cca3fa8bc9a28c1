import type { QueueName } from './broker';

/** The names in RabbitMQ. */
export interface RabbitNames {
  /** Of all messages. The routing keys are the names of the queues without a namespace. */
  exchange: string;
  /** Exchange and queue of parked messages. */
  safety: string;
  /** The queue that names the installation whose virtual host this is. */
  installation: string;
  queue: (name: QueueName) => string;
}

/** @param namespace BROKER_NAMESPACE; empty: none */
export function namesIn(namespace: string): RabbitNames {
  const within = (name: string): string => (namespace === '' ? name : `${namespace}.${name}`);
  return {
    exchange: within('events'),
    safety: within('events.safety'),
    installation: within('events.installation'),
    queue: within,
  };
}
