import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Broker, Consumer, ReceivedMessage, QueueName } from '../../broker/broker';
import type { Metrics } from '../../observability/metrics';
import type { PoisonDetector } from '../crashes/poison-detector';
import type { ExternalHandlers } from '../run/external-handlers';
import type { BatchSettler } from '../settle/batch-settler';
import { messagesOf, workItem, type WorkItem } from '../work-item';
import { endDispatchSpan, startDispatchSpan } from './dispatch-spans';
import type { MessageRouter } from './message-router';
import { readDispatchedEvent } from './read-message';

const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** The processing steps, shared by the consumers of all queues. */
export interface WorkerSteps {
  router: MessageRouter;
  externals: ExternalHandlers;
  poison: PoisonDetector;
  settler: BatchSettler;
  metrics: Metrics;
}

/**
 * Processes the messages of one queue in two loops. The first routes arriving messages, so that external calls start at
 * once, even while other events are being settled. The second settles one batch at a time. The next batch contains, up
 * to the batch size, whatever was routed or has finished its external handlers in the meantime. No message waits for a
 * batch to fill. The prefetch bounds the number of messages in memory.
 */
export class QueueConsumer {
  private readonly logger = new Logger('Worker');
  private consumer!: Consumer;
  private arrived: ReceivedMessage[] = [];
  private ready: WorkItem[] = [];
  private alone: WorkItem[] = [];
  /** Items whose external handlers have ended. */
  private finished: WorkItem[] = [];
  private readonly external = new Set<Promise<void>>();
  private routing: Promise<void> | undefined;
  private settling: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly broker: Broker,
    private readonly queue: QueueName,
    private readonly limits: { prefetch: number; batchSize: number },
    private readonly steps: WorkerSteps,
  ) {}

  start(): void {
    this.consumer = this.broker.consume(this.queue, this.limits.prefetch, (message) => {
      this.arrived.push(message);
      if (!this.stopping) this.routing ??= this.routeArrived();
    });
  }

  /** I15: stops consuming, finishes the current batches, and requeues messages that were not started. */
  async stopTaking(): Promise<void> {
    this.stopping = true;
    await this.consumer.cancel();
    await Promise.all([this.routing, this.settling]);
    this.consumer.requeue(this.arrived.splice(0));
    this.requeue([...this.ready.splice(0), ...this.alone.splice(0)]);
  }

  /** Settles what the external handlers have finished. Call it after they were stopped. */
  async close(): Promise<void> {
    await Promise.all(this.external);
    while (this.finished.length > 0) await this.settle(this.finished.splice(0, this.limits.batchSize));
    await this.consumer.close();
  }

  private async routeArrived(): Promise<void> {
    await Promise.resolve(); // lets the other messages of this tick arrive
    while (this.arrived.length > 0 && !this.stopping) {
      const items = this.read(this.arrived.splice(0, this.limits.batchSize));
      const routes = await this.patiently(() => this.steps.router.route(items));
      if (!routes) {
        this.requeue(items);
        break;
      }
      this.ready.push(...routes.now);
      this.alone.push(...routes.alone);
      for (const item of routes.external) {
        const running = this.runExternally(item).finally(() => this.external.delete(running));
        this.external.add(running);
      }
      this.wakeSettling();
    }
    this.routing = undefined;
  }

  private wakeSettling(): void {
    if (!this.stopping) this.settling ??= this.settleRouted();
  }

  private async settleRouted(): Promise<void> {
    await Promise.resolve(); // lets external handlers that end in this tick join the batch
    const { batchSize } = this.limits;
    while (this.ready.length + this.finished.length + this.alone.length > 0 && !this.stopping) {
      const finished = this.finished.splice(0, batchSize);
      await this.settle([...finished, ...this.ready.splice(0, batchSize - finished.length)]);
      for (const item of this.alone.splice(0)) await this.settleAlone(item);
    }
    this.settling = undefined;
  }

  private async settle(items: readonly WorkItem[]): Promise<void> {
    if (items.length === 0) return;
    const settled = await this.patiently(() => this.steps.settler.settle(items).then(() => true));
    if (settled) this.consumer.ack(messagesOf(items));
    else this.requeue(items);
  }

  private async settleAlone(item: WorkItem): Promise<void> {
    const { poison } = this.steps;
    const begun = this.stopping ? undefined : await this.patiently(() => poison.begin(item));
    if (!begun) {
      this.requeue([item]);
      return;
    }
    await this.settle([begun]);
    // The shutdown may have requeued the event; that is no crash. If it was settled, there is no start to withdraw.
    if (this.stopping) await poison.withdraw(item.event);
  }

  private async runExternally(item: WorkItem): Promise<void> {
    try {
      const finished = await this.steps.externals.run(item);
      if (finished) this.finished.push(finished);
      else this.requeue([item]);
    } catch (error) {
      this.logger.warn(`An event could not be run and is requeued: ${messageOf(error)}`);
      this.requeue([item]);
    }
    this.wakeSettling();
  }

  /** Drops messages that StreamForge did not publish, because they can never be settled. */
  private read(messages: readonly ReceivedMessage[]): WorkItem[] {
    const foreign: ReceivedMessage[] = [];
    const items: WorkItem[] = [];
    for (const message of messages) {
      const dispatched = readDispatchedEvent(message);
      if (dispatched) {
        const { event, span } = startDispatchSpan(dispatched, this.queue, message.redelivered);
        items.push(workItem(message, event, span));
      } else {
        this.logger.error({ msg: 'dropped a message that StreamForge did not publish', messageId: message.id });
        foreign.push(message);
      }
    }
    if (foreign.length > 0) {
      this.steps.metrics.foreignValues.inc({ place: 'message' }, foreign.length);
      this.consumer.ack(foreign);
    }
    return items;
  }

  private requeue(items: readonly WorkItem[]): void {
    this.consumer.requeue(messagesOf(items));
    for (const { span } of items) endDispatchSpan(span, { 'streamforge.outcome': 'requeued' });
  }

  /**
   * Repeats `work` until PostgreSQL can be reached. The messages are kept, because requeued messages would be
   * redelivered at once. Returns undefined if the worker is stopped first.
   */
  private async patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        this.logger.warn(`PostgreSQL cannot be reached, and messages are waiting for it: ${messageOf(error)}`);
      }
      for (let waitedMs = 0; waitedMs < pauseMs && !this.stopping; waitedMs += MIN_PAUSE_MS) await sleep(MIN_PAUSE_MS);
      if (this.stopping) return undefined;
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
