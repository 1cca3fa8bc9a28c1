/** The three queues. Each name is also the routing key on the exchange `events`. `events.dlq` exists with DLQ_COPY only. */
export const QUEUES = { main: 'events.main', retry: 'events.retry', dlq: 'events.dlq' } as const;
export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];

/** The broker envelope. `body` is the normalised event as JSON. `headers` identify the dispatch of the event. */
export interface Message {
  /** The id of the event. It stays the same in redeliveries, retries and replays. */
  id: string;
  headers: Record<string, unknown>;
  body: Buffer;
}

export interface OutgoingMessage extends Message {
  queue: QueueName;
  headers: Record<string, string | number>;
}

/**
 * The result of publishing one message:
 * - confirmed: the broker has the message
 * - unroutable: the broker has no queue for it
 * - refused: the broker did not accept the message (a nack, or no room). A later attempt may succeed
 * - unconfirmed: no confirm came in time, or the connection was lost. The message may still arrive
 * - channel-broken: the broker closed the channel because of one of several messages, possibly this message
 * - MessageRefusal: the broker can never accept this message
 */
export type PublishOutcome = 'confirmed' | 'unroutable' | 'refused' | 'unconfirmed' | 'channel-broken' | MessageRefusal;

/** The message cannot be encoded, or the broker closed the channel while only this message was in flight. */
export interface MessageRefusal {
  rejected: string;
}

/**
 * The broker is misconfigured, and an operator must fix it. The message of this error says how. The message names no
 * host, because the public endpoint /ready shows the message.
 */
export class BrokerMisconfigured extends Error {}

/**
 * Why a message from the broker cannot be trusted. `unsigned`: it has no signature, or this process has no key to check
 * it with. `forged`: the signature is wrong, so this installation did not write the message in this form.
 */
export type Doubt = 'unsigned' | 'forged';

/** A message as a consumer received it. */
export interface ReceivedMessage extends Message {
  /** Identifies this delivery to the consumer. A redelivery of the message has a different tag. */
  tag: number;
  redelivered: boolean;
  /** Why its content cannot be trusted; undefined if this installation wrote it as it is. */
  doubt?: Doubt | undefined;
}

/**
 * Consumes one queue. When the connection is lost, unsettled messages return to the queue. Later calls of `ack`,
 * `requeue` and `park` ignore those messages.
 *
 * Messages that were published in one bundle are settled one by one, but leave the queue together, when the last of them is
 * settled. If one of them is requeued, all of them arrive again, also those that were acked; if one is parked, all of
 * them are in `events.safety`.
 */
export interface Consumer {
  /** Removes messages from the queue. Call this only after their outcome is committed (I5). */
  ack(messages: readonly ReceivedMessage[]): void;
  /** Returns messages to the queue. They arrive again, marked as redelivered. */
  requeue(messages: readonly ReceivedMessage[]): void;
  /** Moves messages to the queue `events.safety`, where an operator finds them. The in-process broker drops them. */
  park(messages: readonly ReceivedMessage[]): void;
  /**
   * Stops the arrival of messages. No message arrives after the promise resolves. Unsettled messages can be acked or
   * requeued until `close`.
   */
  cancel(): Promise<void>;
  /** Stops consuming. Unsettled messages (neither acked nor requeued) return to the queue. */
  close(): Promise<void>;
}

export interface QueueBacklog {
  /** Without the unsettled ones. */
  messages: number;
  consumers: number;
}

/**
 * The port between publisher and worker, with two adapters: RabbitMQ and in-process. A message may arrive more than
 * once. A crash of the broker may lose a message; the reconciler then dispatches its event again.
 */
export abstract class Broker {
  /**
   * True when a restart of this process empties the broker. The reconciler then applies no grace period to entries that
   * were published before the restart.
   */
  abstract readonly forgetsOnRestart: boolean;

  /** Returns false while the broker is disconnected, blocked, full or closed. Publishers then claim no entries. */
  abstract canPublish(): boolean;

  /**
   * Publishes all messages. Resolves within `timeoutMs` with one outcome for each message, in order. While the broker
   * is unreachable or closed, every outcome is `unconfirmed`, and no error is thrown.
   */
  abstract publish(messages: readonly OutgoingMessage[], timeoutMs: number): Promise<PublishOutcome[]>;

  /**
   * Passes messages to `onMessage`, with at most `prefetch` unsettled at a time. Continues after every reconnect.
   *
   * @param takesBundles false where a message may stay unsettled for long: with it, all of its bundle would
   */
  abstract consume(
    queue: QueueName,
    prefetch: number,
    onMessage: (message: ReceivedMessage) => void,
    takesBundles?: boolean,
  ): Consumer;

  /** Returns what waits in a queue, and who consumes it. Throws when the broker is unreachable. */
  abstract backlog(queue: QueueName): Promise<QueueBacklog>;

  /** Returns the number of messages in a queue, not counting unsettled ones. Throws when the broker is unreachable. */
  async waiting(queue: QueueName): Promise<number> {
    return (await this.backlog(queue)).messages;
  }

  /** Throws when the broker is disconnected, blocked, misconfigured or closed. Used by the readiness check. */
  abstract ping(): Promise<void>;

  /** Closes the broker and its consumers. Unsettled messages return to their queues. Takes a few seconds at most. */
  abstract close(): Promise<void>;
}
