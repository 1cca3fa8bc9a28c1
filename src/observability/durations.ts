import type { Registry } from 'prom-client';
import { TallyHistogram } from './tally-histogram';

/** Buckets in seconds (docs/observability.md has them too). The longest timeout of a request is 30 s. */
const OF_ATTEMPTS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const OF_EVENTS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const OF_STAGES = [...OF_EVENTS, 3_600, 86_400];
/** A retry schedule may last for weeks, and a destination may be paused for longer. */
const OF_DELIVERIES = [...OF_STAGES, 604_800];
const OF_VERIFICATIONS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/**
 * What an event waits for: from its acceptance until the broker confirmed it, from there until a worker settled it, and
 * from there until a destination had it.
 */
export type Stage = 'publish' | 'settle' | 'deliver';

/** How an attempt ended. `failed`: there is none after it. */
export type AttemptResult = 'success' | 'retry' | 'failed';

/** The histograms of what every event goes through. Their labels have a fixed number of values. */
export class Durations {
  readonly endToEnd: TallyHistogram<never>;
  readonly stages: TallyHistogram<'stage'>;
  readonly attempts: TallyHistogram<'kind' | 'result'>;
  readonly deliveries: TallyHistogram<'kind' | 'result'>;
  readonly verifications: TallyHistogram<'scheme' | 'result'>;

  constructor(registry: Registry) {
    this.endToEnd = new TallyHistogram({
      name: 'streamforge_end_to_end_seconds',
      help: 'Time from the receipt of an event until its handlers have succeeded',
      labelNames: [],
      buckets: OF_EVENTS,
      registry,
    });
    this.stages = new TallyHistogram({
      name: 'streamforge_stage_seconds',
      help: 'Time that events waited: publish (accepted to published), settle (published to settled), deliver (settled to delivered)',
      labelNames: ['stage'],
      buckets: OF_STAGES,
      registry,
    });
    this.attempts = new TallyHistogram({
      name: 'streamforge_attempt_seconds',
      help: 'Duration of attempts, of the handlers (up to the commit of their batch) and of deliveries by kind of destination',
      labelNames: ['kind', 'result'],
      buckets: OF_ATTEMPTS,
      registry,
    });
    this.deliveries = new TallyHistogram({
      name: 'streamforge_delivery_seconds',
      help: 'Time from the receipt of an event until its delivery to a destination succeeded or failed for good',
      labelNames: ['kind', 'result'],
      buckets: OF_DELIVERIES,
      registry,
    });
    this.verifications = new TallyHistogram({
      name: 'streamforge_source_verification_seconds',
      help: 'Duration of the verification of requests to sources',
      labelNames: ['scheme', 'result'],
      buckets: OF_VERIFICATIONS,
      registry,
    });
    this.beginAtZero();
  }

  /** So that dashboards find them before the first event. */
  private beginAtZero(): void {
    for (const stage of ['publish', 'settle', 'deliver'] satisfies Stage[]) this.stages.of({ stage });
    for (const result of ['success', 'retry', 'failed'] satisfies AttemptResult[]) {
      for (const kind of ['handlers', 'http']) this.attempts.of({ kind, result });
    }
    for (const result of ['delivered', 'failed']) this.deliveries.of({ kind: 'http', result });
    for (const result of ['verified', 'refused']) this.verifications.of({ scheme: 'hmac', result });
  }
}
