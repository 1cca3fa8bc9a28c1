import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import type { LeasedDelivery } from '../delivery-state/claim-deliveries.queries';
import type { SealedDestination } from '../destinations/destination';
import { AttemptSettler } from './attempt-settler';
import { DisableDestinations } from './disable-destinations';
import { DeliveryReport } from './delivery-report';
import type { AttemptOutcome } from './delivery-outcome';
import type { DeliveryLine } from './delivery-line';
import { afterAttempt, type DeliveryRetryRules } from './decide/retry-schedule';
import { Transmitter } from './transmitter';

/** Bytes of all events that are leased and not settled. One more batch may exceed it. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Starts leased deliveries and hands their outcomes to the settler. Whoever calls `start` has taken a place on the line;
 * the end of the request gives it back.
 */
@Injectable()
export class Dispatcher {
  /** Called when a place has become free. */
  onFree: () => void = () => undefined;
  private readonly logger = new Logger('Deliveries');
  private readonly shutdown = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private heldBytes = 0;
  private stopping = false;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transmitter: Transmitter,
    private readonly settler: AttemptSettler,
    private readonly report: DeliveryReport,
    private readonly disable: DisableDestinations,
  ) {
    settler.onSettled = (outcome) => this.settled(outcome);
  }

  /** False while nothing more should be leased. */
  get hasRoom(): boolean {
    return !this.stopping && this.heldBytes < MOST_HELD_BYTES && this.settler.hasRoom;
  }

  start(line: DeliveryLine, delivery: LeasedDelivery): void {
    if (this.stopping) {
      line.taken -= 1;
      this.settler.release([{ line, delivery, waitSeconds: 0 }]);
      return;
    }
    const running = this.attempt(line, delivery).finally(() => {
      this.running.delete(running);
      this.report.inFlight(this.running.size);
    });
    this.running.add(running);
    this.report.inFlight(this.running.size);
  }

  /** I15: running requests get half of the grace period. What has not ended then is released. */
  async stop(): Promise<void> {
    this.stopping = true;
    const over = new AbortController();
    const ended = Promise.allSettled(this.running).finally(() => over.abort());
    const late = sleep(this.settings.SHUTDOWN_GRACE_MS / 2, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([ended, late]);
    this.shutdown.abort();
    await ended;
    await this.settler.stop();
    this.transmitter.keepOnly(new Map());
  }

  private async attempt(line: DeliveryLine, delivery: LeasedDelivery): Promise<void> {
    const { destination } = line;
    const startedMs = Date.now();
    const bytes = delivery.event.body.length;
    this.heldBytes += bytes;
    const sent = await this.transmitter.send(destination, delivery, this.shutdown.signal);
    this.heldBytes -= bytes;
    line.taken -= 1;
    const endedMs = Date.now();
    const isAborted = sent.kind !== 'held' && sent.statusCode === null && this.shutdown.signal.aborted;
    if (sent.kind === 'held' || isAborted) {
      line.learn('nothing', false, endedMs);
      this.settler.release([{ line, delivery, waitSeconds: sent.kind === 'held' ? sent.waitSeconds : 0 }]);
    } else {
      if (sent.kind === 'gone') line.gone(true);
      if (sent.kind === 'slow-down') line.pace.slowDown(startedMs, endedMs, sent.retryAfterSeconds ?? 0);
      const tried = {
        tries: delivery.tries,
        ageSeconds: (endedMs - Date.parse(delivery.createdAt)) / 1_000,
        failingSeconds: line.failingSeconds(endedMs),
      };
      const next = afterAttempt(sent, tried, this.rulesOf(destination), Math.random());
      const health = line.learn(sent.health, delivery.probes, endedMs);
      this.settler.settle({ line, delivery, answer: sent, next, durationMs: endedMs - startedMs, endedMs, health });
    }
    this.onFree();
  }

  private settled({ line, next, answer, delivery }: AttemptOutcome): void {
    if (answer.kind === 'gone') {
      this.disable.gone(delivery.destinationId, delivery.event.correlationId).catch((error: unknown) => {
        line.gone(false); // the next 410 tries again
        this.logger.error({ msg: 'a destination that answered 410 could not be disabled', err: error });
      });
    }
    if (next.kind === 'retry') line.note(next.waitSeconds * 1_000, Date.now());
    this.onFree();
  }

  private rulesOf(destination: SealedDestination): DeliveryRetryRules {
    return {
      schedule: destination.retrySchedule ?? this.settings.DELIVERY_RETRY_SCHEDULE_SECONDS,
      jitter: this.settings.RETRY_JITTER,
      mostSlowDownSeconds: this.settings.DESTINATION_DISABLE_AFTER_HOURS * 3_600,
    };
  }
}
