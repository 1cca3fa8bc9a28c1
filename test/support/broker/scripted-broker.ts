import {
  Broker,
  type Consumer,
  type OutgoingMessage,
  type PublishOutcome,
  type QueueName,
} from '../../../src/broker/broker';

/** A broker whose outcomes a test chooses. It records the messages that it was sent. */
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
    throw new Error('ScriptedBroker has no consumers');
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
