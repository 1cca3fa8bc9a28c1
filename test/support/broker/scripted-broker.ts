import {
  Broker,
  type Consumer,
  type OutgoingMessage,
  type PublishOutcome,
  type QueueName,
} from '../../../src/broker/broker';

/** A broker that answers as a test tells it to, and remembers what it was sent. */
export class ScriptedBroker extends Broker {
  override forgetsOnRestart = false;
  readonly received: OutgoingMessage[] = [];
  ready = true;
  queued = 0;

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
    throw new Error('nothing consumes in this test');
  }

  waiting(_queue: QueueName): Promise<number> {
    return Promise.resolve(this.queued);
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
