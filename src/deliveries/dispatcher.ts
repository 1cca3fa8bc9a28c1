import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { loggedCause } from '../db/outages';
import type { LeasedDelivery } from '../delivery-state/claim-deliveries.queries';
import type { SealedDestination } from '../destinations/destination';
import { shutdownPhases } from '../runtime/shutdown-phases';
import { AttemptSettler } from './attempt-settler';
import { DisableDestinations } from './disable-destinations';
import { DeliveryReport } from './delivery-report';
import { withoutBody } from './delivery-outcome';
import type { DeliveryLine } from './delivery-line';
import type { ClassifiedAnswer } from './decide/classify-answer';
import { afterAttempt, type DeliveryRetryRules } from './decide/retry-schedule';
import { lastStartMs, type TimedDelivery } from './decide/timed-delivery';
import { Transmitter } from './transmitter';
import { timeOfDayMs } from '../event/time-of-day';
import { elapsedMs } from '../event/elapsed-time';

/** Bytes of the events of all deliveries that wait for their turn or are being sent. The batches being settled may exceed it. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Starts leased deliveries and hands their outcomes to the settler. Whoever calls `start` has called `hold`, and has taken
 * a place on the line; the end of the request gives both back.
 */
@Injectable()
export class Dispatcher {
  /** Called when a place has become free, or when there may be something to do for a line. */
  onFree: (line: DeliveryLine) => void = () => undefined;
  private readonly logger = new Logger('Deliveries');
  private readonly shutdown = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private readonly disabling = new Set<Promise<void>>();
  private heldBytes = 0;
  private stopping = false;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transmitter: Transmitter,
    private readonly settler: AttemptSettler,
    private readonly report: DeliveryReport,
    private readonly disable: DisableDestinations,
  ) {
    settler.onChanged = (line) => this.onFree(line);
  }

  /** False while nothing more should be leased. The beat of this process (delivery-loops.ts) notices when that is over. */
  get hasRoom(): boolean {
    return !this.stopping && !this.transmitter.isCutOff && this.heldBytes < MOST_HELD_BYTES && this.settler.hasRoom;
  }

  /** Counts the event of a delivery until `start` has ended or `release` is called. */
  hold({ event }: LeasedDelivery): void {
    this.heldBytes += event.body.length;
  }

  start(line: DeliveryLine, delivery: TimedDelivery): void {
    if (this.stopping || !line.takes) {
      line.taken -= 1;
      this.release(line, delivery, 0);
      return;
    }
    const running = this.attempt(line, delivery).finally(() => {
      this.running.delete(running);
      this.report.inFlight(this.running.size);
    });
    this.running.add(running);
    this.report.inFlight(this.running.size);
  }

  /** Gives back a delivery that was not sent. */
  release(line: DeliveryLine, delivery: LeasedDelivery, waitSeconds: number): void {
    this.heldBytes -= delivery.event.body.length;
    this.settler.release({ line, delivery: withoutBody(delivery), waitSeconds });
  }

  /** I15: running requests get half of the grace period. What has not ended then is released. */
  async stop(): Promise<void> {
    this.stopping = true;
    const over = new AbortController();
    const ended = Promise.allSettled(this.running).finally(() => over.abort());
    const { finishMs } = shutdownPhases(this.settings);
    const late = sleep(finishMs, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([ended, late]);
    this.shutdown.abort();
    await ended;
    await this.settler.stop();
    await Promise.allSettled(this.disabling);
    this.transmitter.keepOnly(new Map());
  }

  private async attempt(line: DeliveryLine, delivery: TimedDelivery): Promise<void> {
    const { destination } = line;
    const startedMs = performance.now();
    const startBeforeMs = lastStartMs(delivery.leaseEndsMs, destination.timeoutMs);
    // Asked after the body is made, which may take seconds.
    const isCurrent = () => elapsedMs() <= startBeforeMs && line.takes && line.destination === destination;
    const sent = await this.transmitter.send(destination, delivery, isCurrent, this.shutdown.signal);
    line.taken -= 1;
    const endedMs = performance.now();
    const isAborted = sent.kind !== 'held' && sent.statusCode === null && this.shutdown.signal.aborted;
    if (sent.kind === 'held' || isAborted) {
      line.learn('nothing', false, endedMs);
      this.release(line, delivery, sent.kind === 'held' ? sent.waitSeconds : 0);
    } else {
      this.heldBytes -= delivery.event.body.length;
      this.settle(line, destination, delivery, sent, startedMs, endedMs);
    }
    this.onFree(line);
  }

  private settle(
    line: DeliveryLine,
    destination: SealedDestination,
    delivery: TimedDelivery,
    answer: ClassifiedAnswer,
    startedMs: number,
    endedMs: number,
  ): void {
    if (answer.kind === 'gone') this.gone(line, destination, delivery.event.correlationId);
    if (answer.kind === 'slow-down') line.pace.slowDown(startedMs, endedMs, answer.retryAfterSeconds ?? 0);
    const tried = {
      attempts: delivery.attempts,
      tries: delivery.tries,
      ageSeconds: delivery.ageSeconds,
      failingSeconds: line.failingSeconds(endedMs),
    };
    const next = afterAttempt(answer, tried, this.rulesOf(destination), Math.random());
    const health = line.learn(answer.health, delivery.probes, endedMs);
    const durationMs = endedMs - startedMs;
    const endedAtMs = timeOfDayMs();
    const openMs = delivery.ageSeconds * 1_000 + elapsedMs() - delivery.leasedAtMs;
    this.settler.settle({ line, delivery: withoutBody(delivery), answer, next, durationMs, endedAtMs, openMs, health });
  }

  /** Needs no lease: what the destination has answered is true whoever settles the delivery. */
  private gone(line: DeliveryLine, destination: SealedDestination, correlationId: string): void {
    if (!line.gone(destination.revision)) return; // another delivery has begun to disable it
    const disabling = this.disable
      .gone(destination, correlationId)
      .catch((error: unknown) => {
        line.goneAtRevision = undefined; // the next 410 tries again
        this.logger.error({ msg: 'a destination that answered 410 could not be disabled', ...loggedCause(error) });
      })
      .finally(() => {
        this.disabling.delete(disabling);
        this.onFree(line);
      });
    this.disabling.add(disabling);
  }

  private rulesOf(destination: SealedDestination): DeliveryRetryRules {
    return {
      schedule: destination.retrySchedule ?? this.settings.DELIVERY_RETRY_SCHEDULE_SECONDS,
      jitter: this.settings.RETRY_JITTER,
      mostSlowDownSeconds: this.settings.DESTINATION_DISABLE_AFTER_HOURS * 3_600,
    };
  }
}
