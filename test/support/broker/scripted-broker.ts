import {
  Broker,
  type Consumer,
  type OutgoingMessage,
  type PublishOutcome,
  type QueueBacklog,
  type QueueName,
} from '../../../src/broker/broker';

/** A broker whose outcomes a test chooses. It records the messages that it was sent. */
export class ScriptedBroker extends Broker {
  override forgetsOnRestart = false;
  readonly received: OutgoingMessage[] = [];
  ready = true;
  queued = 0;
  consumers = 0;

  constructor(
    public answer: (message: OutgoingMessage) => PublishOutcome | Promise<PublishOutcome> = () => 'confirmed',
  ) {
    super();
  }

  canPublish(): boolean {
    return this.ready;
  }

  publish(messages: readonly OutgoingMessage[]): Promise<PublishOutcome[]> {
    this.received.push(...messages);
    return Promise.all(messages.map(async (message) => this.answer(message)));
  }

  consume(): Consumer {
    throw new Error('ScriptedBroker has no consumers');
  }

  backlog(_queue: QueueName): Promise<QueueBacklog> {
    return Promise.resolve({ messages: this.queued, consumers: this.consumers });
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
