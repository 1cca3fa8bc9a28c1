/** The three queues. Their names are also their routing keys on the exchange `events`. */
export const QUEUES = { main: 'events.main', retry: 'events.retry', dlq: 'events.dlq' } as const;
export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];

/** The broker envelope. `body` is the normalised event as JSON; headers say which dispatch of it this is. */
export interface Message {
  /** The event's id: stable over redeliveries, retries and replays. */
  id: string;
  headers: Record<string, unknown>;
  body: Buffer;
}

export interface OutgoingMessage extends Message {
  queue: QueueName;
  headers: Record<string, string | number>;
}

/**
 * What became of one published message:
 * - confirmed: the broker has it
 * - unroutable: the broker has no queue for it
 * - refused: the broker could not take it now, whatever it was (a nack, or no room)
 * - unconfirmed: nobody knows (no answer in time, connection lost); it may arrive all the same
 * - suspect: unconfirmed because one message of several broke the channel, and it may have been this one
 * - MessageRefusal: this very message is at fault
 */
export type PublishOutcome = 'confirmed' | 'unroutable' | 'refused' | 'unconfirmed' | 'suspect' | MessageRefusal;

/** A message that cannot be encoded, or over which alone the broker closed the channel. */
export interface MessageRefusal {
  rejected: string;
}

/** Somebody has to put it right by hand; the text says what, and names no host, so that /ready may show it. */
export class BrokerMisconfigured extends Error {}

/** A message as a consumer received it. */
export interface ReceivedMessage extends Message {
  /** Identifies this arrival within its consumer; a message that is redelivered arrives with another tag. */
  tag: number;
  redelivered: boolean;
}

/** Consumes one queue. Ack and requeue ignore messages that went back to the queue with a lost connection. */
export interface Consumer {
  /** The outcome is committed (I5): the broker may forget these. */
  ack(messages: readonly ReceivedMessage[]): void;
  /** Gives messages back; they arrive again, marked as redelivered. */
  requeue(messages: readonly ReceivedMessage[]): void;
  /** No message arrives after this resolves; those in hand can still be acked or requeued until `close`. */
  cancel(): Promise<void>;
  /** Stops consuming; messages that were neither acked nor requeued go back to the queue. */
  close(): Promise<void>;
}

/**
 * The port between publisher and worker. Two adapters: RabbitMQ, and one inside the process. At least once: a message
 * may arrive twice, and after a crash of the broker perhaps never, which the reconciler repairs.
 */
export abstract class Broker {
  /** True when a restart of this process empties the broker, so that the reconciler need not wait for a grace. */
  abstract readonly forgetsOnRestart: boolean;

  /** False while nothing should be claimed: disconnected, blocked, full, or closed. */
  abstract canPublish(): boolean;

  /**
   * Publishes all and resolves with one outcome each, in order, within `timeoutMs`. Never throws: while the broker
   * cannot be reached, and once it is closed, everything is unconfirmed.
   */
  abstract publish(messages: readonly OutgoingMessage[], timeoutMs: number): Promise<PublishOutcome[]>;

  /** Passes messages to `onMessage`, at most `prefetch` of them unsettled at a time, now and after every reconnect. */
  abstract consume(queue: QueueName, prefetch: number, onMessage: (message: ReceivedMessage) => void): Consumer;

  /** Messages that wait in a queue, those in workers' hands not counted. Throws when the broker cannot be reached. */
  abstract waiting(queue: QueueName): Promise<number>;

  /** Throws when the broker cannot do its work. For readiness. */
  abstract ping(): Promise<void>;

  /** Ends all consumptions too; unsettled messages go back to their queues. Takes seconds at most. */
  abstract close(): Promise<void>;
}
