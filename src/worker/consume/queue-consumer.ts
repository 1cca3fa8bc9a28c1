import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Broker, Consumer, ReceivedMessage, QueueName } from '../../broker/broker';
import type { PoisonDetector } from '../crashes/poison-detector';
import { readDispatchedEvent } from './read-message';
import { startDispatchSpan, endDispatchSpan } from './dispatch-spans';
import type { BatchSettler } from '../settle/batch-settler';
import type { MessageRouter, ExternalWork, Work } from './message-router';
import type { ExternalWorks } from '../run/external-works';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { Findings } from '../settle/settlement';

const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** What all queues share. */
export interface Stations {
  router: MessageRouter;
  executor: BatchSettler;
  externals: ExternalWorks;
  trials: PoisonDetector;
}

interface Finished extends Work {
  findings: Findings;
}

/**
 * Works off one queue in two loops. One routes what arrives, so that external calls begin at once, however long other
 * events take to settle; the other settles one batch at a time: whatever was routed, or came back from its external
 * handlers, while the last batch was settled is the next one, up to the batch size. No delivery waits for a batch to
 * fill: under load it is full anyway, and idle it would only wait. Everything in hand is bounded by the prefetch.
 */
export class QueueConsumer {
  private readonly logger = new Logger('Worker');
  private readonly consumer: Consumer;
  private buffered: ReceivedMessage[] = [];
  private ready: Work[] = [];
  private alone: Work[] = [];
  private finished: Finished[] = [];
  private routing: Promise<void> | undefined;
  private settling: Promise<void> | undefined;
  private stopping = false;

  constructor(
    broker: Broker,
    private readonly queue: QueueName,
    private readonly limits: { prefetch: number; batchSize: number },
    private readonly stations: Stations,
  ) {
    this.consumer = broker.consume(queue, limits.prefetch, (delivery) => {
      this.buffered.push(delivery);
      if (!this.stopping) this.routing ??= this.routeBuffered();
    });
  }

  /** I15: takes no more, ends with the batches in hand; what was not begun goes back to the queue. */
  async stopTaking(): Promise<void> {
    this.stopping = true;
    await this.consumer.cancel();
    await Promise.all([this.routing, this.settling]);
    const untouched = [...this.ready.splice(0), ...this.alone.splice(0)];
    this.consumer.requeue([...this.buffered.splice(0), ...deliveriesOf(untouched)]);
  }

  /** After the external handlers have stopped: settles what they have finished. */
  async close(): Promise<void> {
    const finished = this.finished.splice(0);
    if (finished.length > 0) await this.settle(finished);
    await this.consumer.close();
  }

  private async routeBuffered(): Promise<void> {
    await Promise.resolve(); // lets the deliveries of this tick arrive
    while (this.buffered.length > 0 && !this.stopping) {
      const arrived = this.understand(this.buffered.splice(0, this.limits.batchSize));
      const routes = await this.patiently(() => this.stations.router.route(arrived));
      if (!routes) {
        this.consumer.requeue(deliveriesOf(arrived));
        break;
      }
      this.ready.push(...routes.now);
      this.alone.push(...routes.alone);
      for (const work of routes.external) void this.runExternally(work);
      this.wakeSettling();
    }
    this.routing = undefined;
  }

  private wakeSettling(): void {
    if (!this.stopping) this.settling ??= this.settleRouted();
  }

  private async settleRouted(): Promise<void> {
    await Promise.resolve(); // lets external handlers that end in this tick come back
    const { batchSize } = this.limits;
    while (this.ready.length + this.finished.length + this.alone.length > 0 && !this.stopping) {
      await this.settle([...this.finished.splice(0, batchSize), ...this.ready.splice(0, batchSize)]);
      for (const work of this.alone.splice(0)) await this.settleAlone(work);
    }
    this.settling = undefined;
  }

  private async settle(works: readonly (Work | Finished)[]): Promise<void> {
    if (works.length === 0) return;
    const findings = new Map<DispatchedEvent, Findings>();
    for (const work of works) if ('findings' in work) findings.set(work.event, work.findings);
    const settled = await this.patiently(async () => {
      await this.stations.executor.settle(
        works.map(({ event }) => event),
        findings,
      );
      return true;
    });
    if (settled) this.consumer.ack(deliveriesOf(works));
    else this.consumer.requeue(deliveriesOf(works));
    // Those with an outcome have ended by now; the others were stale or had succeeded before.
    for (const { event } of works) endDispatchSpan(event, { 'streamforge.outcome': settled ? 'stale' : 'requeued' });
  }

  private async settleAlone(work: Work): Promise<void> {
    const { trials } = this.stations;
    const trial = this.stopping ? undefined : await this.patiently(() => trials.begin(work.event));
    if (!trial) {
      this.consumer.requeue([work.delivery]);
      return;
    }
    await this.settle([{ ...work, findings: trial.findings }]);
    // Requeued instead of settled: it has not crashed. (Settled: there is nothing left to withdraw.)
    if (this.stopping) await trials.withdraw(work.event);
  }

  private async runExternally(work: ExternalWork): Promise<void> {
    try {
      const findings = await this.stations.externals.run(work);
      if (findings) this.finished.push({ delivery: work.delivery, event: work.event, findings });
      else this.consumer.requeue([work.delivery]);
    } catch (error) {
      this.logger.warn(`not run, goes back to the queue: ${error instanceof Error ? error.message : String(error)}`);
      this.consumer.requeue([work.delivery]);
    }
    this.wakeSettling();
  }

  /** Messages that are not ours are dropped: nobody could ever settle them. */
  private understand(deliveries: readonly ReceivedMessage[]): Work[] {
    const foreign: ReceivedMessage[] = [];
    const works = deliveries.flatMap((delivery) => {
      const event = readDispatchedEvent(delivery);
      if (event) return [{ delivery, event: startDispatchSpan(event, this.queue, delivery.redelivered) }];
      this.logger.error({ msg: 'a message that is not ours was dropped', messageId: delivery.id });
      foreign.push(delivery);
      return [];
    });
    if (foreign.length > 0) this.consumer.ack(foreign);
    return works;
  }

  /**
   * Repeats `work` until PostgreSQL can be reached. The deliveries stay in hand meanwhile: giving them back would only
   * bring them again at once. Undefined when the worker is stopped before that.
   */
  private async patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        this.logger.warn(
          `PostgreSQL cannot be reached, deliveries wait: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      for (let waitedMs = 0; waitedMs < pauseMs && !this.stopping; waitedMs += MIN_PAUSE_MS) await sleep(MIN_PAUSE_MS);
      if (this.stopping) return undefined;
    }
  }
}

const deliveriesOf = (works: readonly Work[]): ReceivedMessage[] => works.map(({ delivery }) => delivery);
