import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { addMinutes, type MinuteCounts } from '../delivery-state/destination-minutes.queries';
import { LATENCY_BOUNDS_MS } from '../delivery-state/latency-bounds';
import { kindOf } from '../destinations/transports/transports';
import { writesDebug } from '../observability/app-logger';
import { Metrics } from '../observability/metrics';
import type { ClassifiedAnswer } from './decide/classify-answer';
import type { AttemptOutcome } from './delivery-outcome';

type Counts = MinuteCounts & { latencyMs: number[] };

/**
 * Counts and logs settled attempts: `delivery.settled` at warn for each that failed, at debug for each delivery. The
 * message of a failure is stored with the delivery but not logged, because it may quote the event's content. Also counts
 * the attempts of each destination, which `flush` adds to destination_minutes.
 */
@Injectable()
export class DeliveryReport {
  private readonly logger = new Logger('Deliveries');
  /** By destination; bounded by the number of destinations. */
  private counts = new Map<string, Counts>();

  constructor(
    private readonly pool: Pool,
    private readonly metrics: Metrics,
  ) {}

  settled(outcome: AttemptOutcome, attemptNumber: number): void {
    const { answer, next } = outcome;
    this.metrics.destinationDeliveries.inc({ result: resultOf(answer) });
    this.count(outcome);
    this.measure(outcome);
    if (next.kind === 'delivered') {
      this.metrics.deliveriesSettled.inc({ status: 'DELIVERED' });
      if (writesDebug()) this.logger.debug(lineOf(outcome, attemptNumber, 'DELIVERED'));
      return;
    }
    if (next.kind === 'failed') this.metrics.deliveriesSettled.inc({ status: 'FAILED' });
    this.logger.warn(lineOf(outcome, attemptNumber, next.kind === 'failed' ? 'FAILED' : 'RETRYING'));
  }

  lostLeases(count: number): void {
    if (count === 0) return;
    this.metrics.deliveryLostLease.inc(count);
    this.logger.warn(
      `${count} attempts ended after their lease had expired; other workers send these deliveries again`,
    );
  }

  inFlight(count: number): void {
    this.metrics.deliveriesInFlight.set(count);
  }

  openCircuits(count: number): void {
    this.metrics.destinationsOpenCircuits.set(count);
  }

  /** Adds what was counted since the last time. Counts that cannot be stored are kept for the next time. */
  async flush(): Promise<void> {
    if (this.counts.size === 0) return;
    const counts = this.counts;
    this.counts = new Map();
    try {
      await addMinutes(this.pool, [...counts.values()]);
    } catch (error) {
      for (const [id, one] of this.counts) counts.set(id, sum(counts.get(id), one));
      this.counts = counts;
      throw error;
    }
  }

  private measure({ line, delivery, next, durationMs, endedAtMs, openMs }: AttemptOutcome): void {
    const { attempts, deliveries, stages } = this.metrics.durations;
    const kind = kindOf(line.destination.url);
    const result = next.kind === 'delivered' ? 'success' : next.kind;
    attempts.of({ kind, result }).observe(durationMs / 1_000);
    if (next.kind === 'retry') return;
    const latencyMs = endedAtMs - Date.parse(delivery.event.receivedAt);
    deliveries.of({ kind, result: next.kind }).observe(Math.max(0, latencyMs) / 1_000); // of two clocks
    if (next.kind === 'delivered') stages.of({ stage: 'deliver' }).observe(openMs / 1_000);
  }

  private count({ delivery: { destinationId }, next, durationMs }: AttemptOutcome): void {
    const counts = this.counts.get(destinationId) ?? noCounts(destinationId);
    this.counts.set(destinationId, counts);
    if (next.kind !== 'delivered') counts.failed += 1;
    else {
      counts.delivered += 1;
      const bucket = LATENCY_BOUNDS_MS.findIndex((bound) => durationMs <= bound);
      const index = bucket < 0 ? LATENCY_BOUNDS_MS.length : bucket;
      counts.latencyMs[index] = (counts.latencyMs[index] ?? 0) + 1;
    }
  }
}

const noCounts = (destinationId: string): Counts => ({
  destinationId,
  delivered: 0,
  failed: 0,
  latencyMs: Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0),
});

const sum = (a: Counts | undefined, b: Counts): Counts =>
  a
    ? {
        destinationId: a.destinationId,
        delivered: a.delivered + b.delivered,
        failed: a.failed + b.failed,
        latencyMs: a.latencyMs.map((count, i) => count + (b.latencyMs[i] ?? 0)),
      }
    : b;

function lineOf(
  { delivery, answer, next, durationMs }: AttemptOutcome,
  attemptNumber: number,
  outcome: string,
): Record<string, unknown> {
  const { eventId, destinationId, event } = delivery;
  const { tenantId, correlationId } = event;
  const { reasonCode, statusCode } = answer;
  const delayMs = next.kind === 'retry' ? Math.round(next.waitSeconds * 1_000) : undefined;
  return {
    msg: 'delivery.settled',
    outcome,
    eventId,
    tenantId,
    destinationId,
    correlationId,
    attemptNumber,
    reasonCode,
    statusCode,
    delayMs,
    durationMs: Math.round(durationMs),
  };
}

const resultOf = ({ statusCode, reasonCode }: ClassifiedAnswer): string =>
  statusCode === null ? reasonCode.toLowerCase() : `${Math.floor(statusCode / 100)}xx`;
