import { NoInstallation, type Installation } from '../integrity/installation';
import {
  Broker,
  QUEUES,
  type Consumer,
  type ReceivedMessage,
  type Message,
  type OutgoingMessage,
  type PublishOutcome,
  type QueueBacklog,
  type QueueName,
} from './broker';
import { ifConfirmed } from './confirmed-publishing';
import { requireOwner } from './installation-marker';

interface Queued {
  message: Message;
  redelivered: boolean;
}

/** Messages per queue at which publishers have to stop. The rest waits in the outbox, where it is durable. */
const FULL_AT = 20_000;
const PUBLISH_TIMEOUT_MS = 10_000;

/** In-process adapter, for a publisher and a worker that share the process. A crash empties it. */
export class MemoryBroker extends Broker {
  override readonly forgetsOnRestart = true;
  private readonly queues = new Map<QueueName, MemoryQueue>();
  private readonly consumers: MemoryConsumer[] = [];
  private closed = false;
  /** What the installation has last said. `publish` asks for each claim. */
  private moved = false;

  constructor(private readonly installation: Installation = new NoInstallation()) {
    super();
    installation.onMoved(() => (this.moved = true));
  }

  canPublish(): boolean {
    return this.mayAct() && !this.closed && [...this.queues.values()].every((queue) => queue.length < FULL_AT);
  }

  publish(messages: readonly OutgoingMessage[], timeoutMs = PUBLISH_TIMEOUT_MS): Promise<PublishOutcome[]> {
    return ifConfirmed(this.installation, messages, timeoutMs, () => this.push(messages));
  }

  private push(messages: readonly OutgoingMessage[]): Promise<PublishOutcome[]> {
    const outcomes = messages.map(({ queue: name, id, headers, body }): PublishOutcome => {
      if (this.closed) return 'unconfirmed';
      // PostgreSQL keeps the dead letters. The copy in this queue is for external consumers, which cannot exist here.
      if (name === QUEUES.dlq) return 'confirmed';
      const queue = this.queue(name);
      if (queue.length >= FULL_AT) return 'refused';
      queue.push({ message: { id, headers, body }, redelivered: false });
      return 'confirmed';
    });
    return Promise.resolve(outcomes);
  }

  consume(name: QueueName, prefetch: number, onMessage: (message: ReceivedMessage) => void): Consumer {
    const consumer = new MemoryConsumer(this.queue(name), prefetch, onMessage);
    this.consumers.push(consumer);
    return consumer;
  }

  async backlog(name: QueueName): Promise<QueueBacklog> {
    await this.ping();
    const { length: messages, consumerCount: consumers } = this.queue(name);
    return { messages, consumers };
  }

  async ping(): Promise<void> {
    if (this.closed) throw new Error('the in-process broker is closed');
    if (!this.mayAct()) await requireOwner(this.installation);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const consumer of this.consumers) await consumer.close();
    this.queues.clear();
  }

  private mayAct(): boolean {
    const unconfirmed = this.installation.unconfirmed();
    if (unconfirmed === undefined) this.moved = false;
    else {
      const confirmed = (): void => void (this.moved = false);
      unconfirmed.then(confirmed, () => undefined); // `ping` says why not
    }
    return !this.moved;
  }

  private queue(name: QueueName): MemoryQueue {
    let queue = this.queues.get(name);
    if (!queue) this.queues.set(name, (queue = new MemoryQueue()));
    return queue;
  }
}

/** A FIFO queue. It moves a read index instead of calling shift(), which copies the whole array. */
class MemoryQueue {
  private items: Queued[] = [];
  private head = 0;
  private readonly consumers = new Set<MemoryConsumer>();

  get length(): number {
    return this.items.length - this.head;
  }

  get consumerCount(): number {
    return this.consumers.size;
  }

  push(item: Queued): void {
    this.items.push(item);
    this.offer();
  }

  /** Puts items back at the front, in their old order. */
  unshift(items: Queued[]): void {
    this.items = [...items, ...this.items.slice(this.head)];
    this.head = 0;
    this.offer();
  }

  take(): Queued | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.head += 1;
    if (this.head > 1_000 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  add(consumer: MemoryConsumer): void {
    this.consumers.add(consumer);
    this.offer();
  }

  remove(consumer: MemoryConsumer): void {
    this.consumers.delete(consumer);
  }

  offer(): void {
    for (const consumer of this.consumers) consumer.deliverSoon();
  }
}

class MemoryConsumer implements Consumer {
  private readonly unsettled = new Map<number, Queued>();
  private lastTag = 0;
  private scheduled = false;
  private active = true;

  constructor(
    private readonly queue: MemoryQueue,
    private readonly prefetch: number,
    private readonly onMessage: (message: ReceivedMessage) => void,
  ) {
    queue.add(this);
  }

  deliverSoon(): void {
    if (this.scheduled || !this.active) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      // Room that acks make during this turn is used in the next one, so that other consumers get their turn.
      for (let room = this.prefetch - this.unsettled.size; room > 0 && this.active; room--) {
        const item = this.queue.take();
        if (!item) return;
        const tag = ++this.lastTag;
        this.unsettled.set(tag, item);
        this.onMessage({ ...item.message, tag, redelivered: item.redelivered });
      }
    });
  }

  ack(messages: readonly ReceivedMessage[]): void {
    for (const { tag } of messages) this.unsettled.delete(tag);
    this.deliverSoon();
  }

  requeue(messages: readonly ReceivedMessage[]): void {
    const items: Queued[] = [];
    for (const { tag } of messages) {
      const item = this.unsettled.get(tag);
      if (item) items.push({ ...item, redelivered: true });
      this.unsettled.delete(tag);
    }
    this.queue.unshift(items);
  }

  park(messages: readonly ReceivedMessage[]): void {
    this.ack(messages);
  }

  cancel(): Promise<void> {
    this.active = false;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.cancel();
    this.queue.remove(this);
    this.queue.unshift([...this.unsettled.values()].map((item) => ({ ...item, redelivered: true })));
    this.unsettled.clear();
  }
}
