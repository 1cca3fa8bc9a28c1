import { Logger } from '@nestjs/common';
import type { Broker, Consumer, ReceivedMessage, QueueName } from '../../broker/broker';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { Metrics } from '../../observability/metrics';
import type { WorkInHand, WorkProgress } from '../../observability/work-progress';
import type { PoisonDetector } from '../crashes/poison-detector';
import type { ExternalHandlers } from '../run/external-handlers';
import type { BatchSettler } from '../settle/batch-settler';
import type { OwnStatements } from '../settle/own-statements';
import { messagesOf, workItem, type WorkItem } from '../work-item';
import { endDispatchSpan, startDispatchSpan } from './dispatch-spans';
import type { MessageRouter, Routes } from './message-router';
import { messageOf, PatientWork } from './patient-work';
import { takeInTurns } from './take-in-turns';
import { unlessHistoryChanged, type LookedUp, type TrustedEvents } from './trusted-events';

/** Of a foreign message id in the log. */
const MAX_ID_LENGTH = 64;
/**
 * Batches that are settled at the same time. With one, PostgreSQL was idle while this process prepared the next
 * (docs/performance.md).
 */
const MAX_SETTLING = 2;

/** The processing steps, shared by the consumers of all queues. */
export interface WorkerSteps {
  trusted: TrustedEvents;
  router: MessageRouter;
  externals: ExternalHandlers;
  poison: PoisonDetector;
  settler: BatchSettler;
  own: OwnStatements;
  metrics: Metrics;
  progress: WorkProgress;
}

/**
 * Routes the messages of one queue as they arrive, so that external calls start at once, even while other events are being
 * settled. A batch takes, up to the batch size, whatever waits: events without external handlers, and those whose handlers
 * have finished. No message waits for a batch to fill; only a batch beside another one begins full. The prefetch bounds the
 * number of messages in memory. A message that cannot be read, or that fails again and again without PostgreSQL being the
 * cause, is parked.
 */
export class QueueConsumer {
  private readonly logger = new Logger('Worker');
  private consumer!: Consumer;
  private arrived: ReceivedMessage[] = [];
  private ready: WorkItem[] = [];
  /** Redelivered events, any of which may have killed a worker. */
  private suspects: WorkItem[] = [];
  /** Items whose external handlers have ended. */
  private finished: WorkItem[] = [];
  private readonly external = new Set<Promise<void>>();
  private routing: Promise<void> | undefined;
  private readonly settling = new Set<Promise<void>>();
  /** While a suspect is settled, no other batch begins. */
  private settlesSuspect = false;
  private waking = false;
  private stopping = false;
  private readonly patient: PatientWork;
  private readonly inHand: WorkInHand;

  constructor(
    private readonly broker: Broker,
    private readonly queue: QueueName,
    private readonly limits: { prefetch: number; batchSize: number; takesBundles: boolean },
    private readonly steps: WorkerSteps,
  ) {
    this.patient = new PatientWork(() => this.stopping, steps.own);
    this.inHand = steps.progress.watch();
  }

  start(): void {
    const { prefetch, takesBundles } = this.limits;
    const onMessage = (message: ReceivedMessage): void => {
      this.arrived.push(message);
      this.inHand.took(1);
      if (!this.stopping) this.routing ??= this.routeArrived();
    };
    this.consumer = this.broker.consume(this.queue, prefetch, onMessage, takesBundles);
  }

  /** I15: stops consuming, finishes the current batches, and requeues messages that were not started. */
  async stopTaking(): Promise<void> {
    this.stopping = true;
    await this.consumer.cancel();
    await Promise.all([this.routing, ...this.settling]);
    this.giveBack(this.arrived.splice(0));
    this.requeue([...this.ready.splice(0), ...this.suspects.splice(0)]);
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
      const items = await this.read(this.arrived.splice(0, this.limits.batchSize));
      await this.patient.run(items, (some) => unlessHistoryChanged(this.steps.router.route(some)), {
        done: (some, routes) => (routes ? this.routed(routes) : this.readAgain(some)),
        ...this.notDone,
      });
    }
    this.routing = undefined;
  }

  private routed(routes: Routes): void {
    this.ack(messagesOf(routes.parked));
    for (const { span } of routes.parked) endDispatchSpan(span, { 'streamforge.outcome': 'waits-for-key' });
    this.ready.push(...routes.now);
    this.suspects.push(...routes.alone);
    for (const item of routes.external) {
      const running = this.runExternally(item).finally(() => this.external.delete(running));
      this.external.add(running);
    }
    this.wakeSettling();
  }

  private wakeSettling(): void {
    if (this.waking) return;
    this.waking = true;
    queueMicrotask(() => {
      this.waking = false; // external handlers that have ended in this tick join the batch
      while (this.mayBegin()) {
        const batch = this.settleNext().finally(() => {
          this.settling.delete(batch);
          this.wakeSettling();
        });
        this.settling.add(batch);
      }
    });
  }

  private mayBegin(): boolean {
    const waiting = this.ready.length + this.finished.length;
    if (this.stopping || waiting + this.suspects.length === 0) return false;
    if (this.settling.size === 0) return true;
    const isFree = this.settling.size < MAX_SETTLING && !this.settlesSuspect && this.suspects.length === 0;
    return isFree && waiting >= this.limits.batchSize;
  }

  private async settleNext(): Promise<void> {
    const { batchSize } = this.limits;
    const finished = this.finished.splice(0, batchSize);
    await this.settle([...finished, ...takeInTurns(this.ready, batchSize - finished.length)]);
    if (this.settling.size > 1) return; // suspects wait until no other batch is being settled
    this.settlesSuspect = true;
    try {
      for (const item of this.suspects.splice(0)) await this.settleAlone(item);
    } finally {
      this.settlesSuspect = false;
    }
  }

  private async settle(items: readonly WorkItem[]): Promise<void> {
    const settle = (some: readonly WorkItem[]) => this.steps.settler.settle(some).then(() => true);
    await this.patient.run(items, (some) => unlessHistoryChanged(settle(some)), {
      done: (some, settled) => (settled ? this.ack(messagesOf(some)) : this.readAgain(some)),
      ...this.notDone,
    });
  }

  private async settleAlone(item: WorkItem): Promise<void> {
    const { poison } = this.steps;
    if (this.stopping) return this.requeue([item]);
    await this.patient.run([item], () => poison.begin(item), {
      done: (_, begun) => this.settle([begun]),
      ...this.notDone,
    });
  }

  private async runExternally(item: WorkItem): Promise<void> {
    await this.patient.run([item], () => this.steps.externals.run(item), {
      done: (_, finished) => {
        if (finished) this.finished.push(finished);
        else this.requeue([item]);
      },
      ...this.notDone,
    });
    this.wakeSettling();
  }

  /**
   * Drops what somebody else has written, and parks what cannot be read or is about an event that the database has
   * forgotten, because none of them can ever be settled.
   */
  private async read(messages: readonly ReceivedMessage[]): Promise<WorkItem[]> {
    const trusted: WorkItem[] = [];
    const others: Record<'unconfirmed' | 'unsigned', WorkItem[]> = { unconfirmed: [], unsigned: [] };
    const forged: ReceivedMessage[] = [];
    for (const message of messages) {
      const reading = this.steps.trusted.read(message);
      if (reading.kind === 'trusted') trusted.push(this.traced(message, reading.event, reading.history));
      else if (reading.kind === 'forged') forged.push(message);
      else if (reading.kind === 'unreadable') this.park(message, 'unreadable', 'StreamForge did not publish it');
      else others[reading.kind].push(workItem(message, reading.event));
    }
    this.drop('forged', forged);
    const confirmed = await this.lookUp(others.unconfirmed, ({ superseded, forgotten }) => {
      this.ack(messagesOf(superseded));
      this.parkForgotten(messagesOf(forgotten));
    });
    const found = await this.lookUp(others.unsigned, ({ superseded, forgotten }) =>
      this.drop('unknown', messagesOf([...superseded, ...forgotten])),
    );
    return confirmed.length + found.length === 0 ? trusted : [...trusted, ...confirmed, ...found];
  }

  private async lookUp(items: readonly WorkItem[], others: (lookedUp: LookedUp) => void): Promise<WorkItem[]> {
    const found: WorkItem[] = [];
    if (items.length === 0) return found;
    await this.patient.run(items, (some) => unlessHistoryChanged(this.steps.trusted.lookUp(some)), {
      done: (some, lookedUp) => {
        if (!lookedUp) return this.readAgain(some);
        for (const { message, event, history } of lookedUp.known) found.push(this.traced(message, event, history));
        others(lookedUp);
      },
      ...this.notDone,
    });
    return found;
  }

  private traced(message: ReceivedMessage, dispatched: DispatchedEvent, history: string | undefined): WorkItem {
    const { event, span } = startDispatchSpan(dispatched, this.queue, message.redelivered);
    return workItem(message, event, span, history);
  }

  /** What follows work that was not done, whatever the work was. */
  private readonly notDone = {
    stopped: (items: readonly WorkItem[]): Promise<void> => this.giveUp(items),
    failed: async (item: WorkItem, error: unknown): Promise<void> => {
      await this.steps.poison.withdraw([item]);
      this.park(item.message, 'failed', messageOf(error));
      endDispatchSpan(item.span, { 'streamforge.outcome': 'parked' }, 'PARKED');
    },
  };

  /** The database has changed under these items, and nothing was done for them: they arrive again and are looked up. */
  private readAgain(items: readonly WorkItem[]): Promise<void> {
    this.steps.trusted.forgetHistory();
    return this.giveUp(items);
  }

  /** Returns items to the queue of which some may have been started. */
  private async giveUp(items: readonly WorkItem[]): Promise<void> {
    await this.steps.poison.withdraw(items);
    this.requeue(items);
  }

  private ack(messages: readonly ReceivedMessage[]): void {
    if (messages.length === 0) return;
    this.consumer.ack(messages);
    this.inHand.settled(messages.length);
  }

  private requeue(items: readonly WorkItem[]): void {
    this.giveBack(messagesOf(items));
    for (const { span } of items) endDispatchSpan(span, { 'streamforge.outcome': 'requeued' });
  }

  private giveBack(messages: readonly ReceivedMessage[]): void {
    this.consumer.requeue(messages);
    this.inHand.gaveBack(messages.length);
  }

  /** If one of the messages was ours before somebody changed it, the reconciler dispatches its event again. */
  private drop(result: 'forged' | 'unknown', messages: readonly ReceivedMessage[]): void {
    if (messages.length === 0) return;
    this.ack(messages);
    this.steps.trusted.count(result, messages);
    this.steps.metrics.foreignValues.inc({ place: 'message' }, messages.length);
  }

  private parkForgotten(messages: readonly ReceivedMessage[]): void {
    if (messages.length === 0) return;
    this.consumer.park(messages);
    this.inHand.settled(messages.length);
    this.steps.metrics.parkedMessages.inc({ reason: 'forgotten' }, messages.length);
    this.steps.trusted.reportForgotten(messages);
  }

  /** If the message was one of ours, the reconciler dispatches its event again. */
  private park(message: ReceivedMessage, reason: 'unreadable' | 'failed', why: string): void {
    this.consumer.park([message]);
    // A worker in which everything fails makes no progress.
    if (reason === 'failed') this.inHand.gaveBack(1);
    else this.inHand.settled(1);
    this.steps.metrics.parkedMessages.inc({ reason });
    if (reason === 'unreadable') this.steps.metrics.foreignValues.inc({ place: 'message' });
    const messageId = message.id.slice(0, MAX_ID_LENGTH);
    this.logger.error({ msg: `moved a message to events.safety: ${why}`, reason, messageId, queue: this.queue });
  }
}
