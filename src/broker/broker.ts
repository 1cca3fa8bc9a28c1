/** The three queues. Each name is also the routing key on the exchange `events`. */
export const QUEUES = { main: 'events.main', retry: 'events.retry', dlq: 'events.dlq' } as const;
export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];

/** The broker envelope. `body` is the normalised event as JSON; the headers identify its dispatch. */
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
 * - refused: the broker did not accept the message at this time (a nack, or no room); it may accept it later
 * - unconfirmed: unknown (no confirm in time, or the connection was lost); the message may still arrive
 * - channel-broken: unconfirmed, because one of several messages broke the channel; it may have been this one
 * - MessageRefusal: the broker can never accept this message
 */
export type PublishOutcome = 'confirmed' | 'unroutable' | 'refused' | 'unconfirmed' | 'channel-broken' | MessageRefusal;

/** The message cannot be encoded, or the broker closed the channel while only this message was in flight. */
export interface MessageRefusal {
  rejected: string;
}

/** An operator must fix the broker. The text of this error says how. It names no host, because /ready is public. */
export class BrokerMisconfigured extends Error {}

/** A message as a consumer received it. */
export interface ReceivedMessage extends Message {
  /** Identifies this arrival within its consumer. A redelivered message arrives with another tag. */
  tag: number;
  redelivered: boolean;
}

/** Consumes one queue. When the connection is lost, messages return to the queue, and later calls ignore them. */
export interface Consumer {
  /** Removes messages from the queue. Call this only after their outcome is committed (I5). */
  ack(messages: readonly ReceivedMessage[]): void;
  /** Returns messages to the queue. They arrive again, marked as redelivered. */
  requeue(messages: readonly ReceivedMessage[]): void;
  /** Stops new messages: none arrives after this resolves. Unsettled ones can be acked or requeued until `close`. */
  cancel(): Promise<void>;
  /** Stops consuming. Unsettled messages, neither acked nor requeued, return to the queue. */
  close(): Promise<void>;
}

/**
 * The port between publisher and worker, with two adapters: RabbitMQ and in-process. A message may arrive more than
 * once. A crash of the broker may lose a message; the reconciler then dispatches its event again.
 */
export abstract class Broker {
  /** True when a restart of this process empties the broker. The reconciler then applies no grace period. */
  abstract readonly forgetsOnRestart: boolean;

  /** False while publishers should claim nothing: the broker is disconnected, blocked, full or closed. */
  abstract canPublish(): boolean;

  /**
   * Publishes all messages. Resolves within `timeoutMs` with one outcome for each, in order. Never throws: while the
   * broker is unreachable or closed, every outcome is `unconfirmed`.
   */
  abstract publish(messages: readonly OutgoingMessage[], timeoutMs: number): Promise<PublishOutcome[]>;

  /** Passes messages to `onMessage`, with at most `prefetch` unsettled at a time. Continues after every reconnect. */
  abstract consume(queue: QueueName, prefetch: number, onMessage: (message: ReceivedMessage) => void): Consumer;

  /** Returns the number of messages in a queue, not counting unsettled ones. Throws when the broker is unreachable. */
  abstract waiting(queue: QueueName): Promise<number>;

  /** Throws when the broker cannot do its work. Used by the readiness check. */
  abstract ping(): Promise<void>;

  /** Closes the broker and its consumers. Unsettled messages return to their queues. Takes a few seconds at most. */
  abstract close(): Promise<void>;
}
