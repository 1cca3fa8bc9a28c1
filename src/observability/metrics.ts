import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Durations } from './durations';

/** Why a body is refused to protect the process. */
const REFUSALS_OF_BODIES = ['buffers', 'decompressors', 'expansion', 'streams', 'streams-of-tenant'] as const;

/**
 * All metrics of all roles, in one registry per application. The number of label values is bounded: no caller's text
 * becomes one. A class that needs one metric may inject it by name, with `@InjectMetric`. A class that needs several
 * injects this class.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly durations = new Durations(this.registry);

  readonly ingestTotal = this.counter(
    'streamforge_ingest_total',
    'Events by entry point and result; events with status failed may be sent again',
    ['source', 'status'],
  );
  readonly ingestDuration = this.histogram(
    'streamforge_ingest_duration_seconds',
    'Time from the complete request to its response after the commit',
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  );
  readonly ingestBatchSize = this.histogram(
    'streamforge_ingest_batch_size',
    'Events stored by one statement',
    [1, 2, 5, 10, 20, 50, 100, 200, 500],
  );
  readonly ingestQueueDepth = this.gauge('streamforge_ingest_queue_depth', 'Events waiting for the batch writer');
  readonly streamsOpen = this.gauge('streamforge_streams_open', 'Streams that are being received');
  readonly streamsWaiting = this.gauge(
    'streamforge_streams_waiting',
    'Streams that are not read because their tenant has reached its limit',
  );
  readonly streamPacedSeconds = this.counter(
    'streamforge_stream_paced_seconds_total',
    'Time that streams waited for the limits of their tenants',
  );
  readonly unreadResponses = this.counter(
    'streamforge_unread_responses_total',
    'Connections that were closed because their client did not read its responses',
  );
  readonly spilledBytes = this.gauge(
    'streamforge_spilled_bytes',
    'Bytes of results in SPILL_DIRECTORY that clients of streams have not read yet',
  );
  readonly spillFailures = this.counter(
    'streamforge_spill_failures_total',
    'Files in SPILL_DIRECTORY that could not be opened, written or read',
  );
  readonly bodiesRefused = this.counter(
    'streamforge_bodies_refused_total',
    'Bodies refused to protect this process, by what they would have taken too much of',
    ['reason'],
  );
  readonly decompressorsOpen = this.gauge('streamforge_decompressors_open', 'Encoded bodies that are being decoded');
  readonly choreOverdue = this.gauge(
    'streamforge_chore_overdue_seconds',
    'How long a chore of the publishers has been overdue; 0: it is not',
    ['chore'],
  );
  readonly clockAhead = this.gauge(
    'streamforge_clock_ahead_seconds',
    "How far the clock of this process is at least ahead of PostgreSQL's; less than 0: behind it",
  );
  readonly dedupeHits = this.counter('streamforge_dedupe_hits_total', 'Duplicates by the layer that found them', [
    'layer',
  ]);
  readonly foreignValues = this.counter(
    'streamforge_foreign_values_total',
    'Values from Redis or RabbitMQ that StreamForge did not write; they are ignored',
    ['place'],
  );
  readonly parkedMessages = this.counter(
    'streamforge_parked_messages_total',
    'Messages that were moved to events.safety, because they cannot be read (unreadable), failed alone (failed), or name an event that the database does not have (forgotten)',
    ['reason'],
  );
  readonly distrustedMessages = this.counter(
    'streamforge_distrusted_messages_total',
    'Messages without a valid signature: forged and unknown (dropped), looked-up (used as PostgreSQL knows them)',
    ['result'],
  );
  readonly authFailures = this.counter(
    'streamforge_auth_failures_total',
    'Requests that were refused for their API key (key), operator credentials (operator) or metrics token (metrics), by reason',
    ['kind', 'reason'],
  );
  readonly sourceRequests = this.counter(
    'streamforge_source_requests_total',
    'Requests to the URLs of sources, by preset and by what became of them; without those of unknown URLs',
    ['provider', 'result'],
  );
  readonly rejectionsTotal = this.counter(
    'streamforge_rejections_total',
    'Rejected records by endpoint (event, stream, source) and by whether they are known to be kept',
    ['endpoint', 'kept'],
  );
  readonly outboxBacklog = this.gauge('streamforge_outbox_backlog', 'Open outbox entries; counting stops at 100000');
  readonly outboxOldestPending = this.gauge(
    'streamforge_outbox_oldest_pending_seconds',
    'Age of the oldest open outbox entry, or 0 without one',
  );
  readonly outboxFailed = this.gauge(
    'streamforge_outbox_failed',
    'FAILED outbox entries, which wait for an operator; counting stops at 10000',
  );
  readonly outboxPublished = this.counter(
    'streamforge_outbox_published_total',
    'Outbox entries that the broker confirmed',
  );
  readonly outboxLostLease = this.counter(
    'streamforge_outbox_lost_lease_total',
    'Outbox entries that were published but not closed, because another publisher had claimed them',
  );
  readonly outboxPublishFailures = this.counter(
    'streamforge_outbox_publish_failures_total',
    'Outbox entries that were not published: release (published again later) or fail (waits for an operator)',
    ['kind'],
  );
  readonly workerAttempts = this.counter('streamforge_worker_attempts_total', 'Attempts by status and reason code', [
    'status',
    'reason_code',
  ]);
  readonly workerRetry = this.counter(
    'streamforge_worker_retry_total',
    'Failed attempts for which a retry is scheduled',
  );
  readonly workerDlq = this.counter('streamforge_worker_dlq_total', 'Events that were dead-lettered');
  readonly workerPostponed = this.counter(
    'streamforge_worker_postponed_total',
    'Events postponed without an attempt: a handler could not begin, a limit was reached, or the tenant is failing',
    ['reason_code'],
  );
  readonly destinationDeliveries = this.counter(
    'streamforge_destination_deliveries_total',
    'Requests to HTTP destinations by result',
    ['result'],
  );
  readonly deliveriesSettled = this.counter(
    'streamforge_deliveries_total',
    'Deliveries that were settled by an attempt: DELIVERED or FAILED',
    ['status'],
  );
  readonly deliveriesInFlight = this.gauge(
    'streamforge_deliveries_in_flight',
    'Requests to destinations that are under way in this process',
  );
  readonly deliveryQueue = this.gauge('streamforge_delivery_queue', 'Open deliveries; counting stops at 100000');
  readonly deliveryBacklog = this.gauge(
    'streamforge_delivery_backlog',
    'Open deliveries by what they wait for; counting stops at 100000 of all states',
    ['state'],
  );
  readonly deliveryLostLease = this.counter(
    'streamforge_delivery_lost_lease_total',
    'Attempts that were not recorded, because another worker had taken over the delivery',
  );
  readonly destinationsDisabled = this.gauge(
    'streamforge_destinations_disabled',
    'Destinations that StreamForge has disabled, such as after a 410 response',
  );
  readonly destinationsOpenCircuits = this.gauge(
    'streamforge_destinations_open_circuits',
    'Destinations whose circuit is open, because they keep failing',
  );
  readonly dlqSize = this.gauge(
    'streamforge_dlq_size',
    'Unresolved dead letters and failed deliveries; each count stops at 10000',
  );
  readonly reconciled = this.counter('streamforge_reconciled_total', 'Events that the reconciler dispatched again');
  readonly dependencyUp = this.gauge('streamforge_dependency_up', '1 while the dependency responds, otherwise 0', [
    'dependency',
  ]);

  constructor() {
    this.beginAtZero();
  }

  /** Registers how many bytes are held for requests that are being received. */
  measureBuffers(heldBytes: () => number): void {
    new Gauge({
      name: 'streamforge_buffer_bytes',
      help: 'Bytes held for requests that are being received: bodies, streams and decompressors',
      registers: [this.registry],
      collect() {
        this.set(heldBytes());
      },
    });
  }

  /** Registers how many log lines were lost. */
  measureLostLogLines(lostLines: () => number): void {
    new Counter({
      name: 'streamforge_log_lines_lost_total',
      help: 'Log lines that were not written, because nobody reads stdout or the system refused them',
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(lostLines());
      },
    });
  }

  /** This class, and each metric under its name. */
  providers(): Provider[] {
    const byName = this.registry
      .getMetricsAsArray()
      .map((metric) => ({ provide: getToken(metric.name), useValue: metric }));
    return [{ provide: Metrics, useValue: this }, ...byName];
  }

  /**
   * A counter that first appears with its first event shows no increase, so an alert would miss something that happens
   * once.
   */
  private beginAtZero(): void {
    for (const source of ['single', 'stream']) {
      for (const status of ['accepted', 'duplicate', 'rejected', 'failed']) this.ingestTotal.inc({ source, status }, 0);
    }
    for (const status of ['DELIVERED', 'FAILED']) this.deliveriesSettled.inc({ status }, 0);
    for (const kind of ['release', 'fail']) this.outboxPublishFailures.inc({ kind }, 0);
    for (const reason of REFUSALS_OF_BODIES) this.bodiesRefused.inc({ reason }, 0);
    for (const layer of ['cache', 'database']) this.dedupeHits.inc({ layer }, 0);
    for (const place of ['cache', 'wake-up', 'limit', 'message']) this.foreignValues.inc({ place }, 0);
    for (const result of ['forged', 'unknown', 'looked-up']) this.distrustedMessages.inc({ result }, 0);
    for (const reason of ['unreadable', 'failed', 'forgotten']) this.parkedMessages.inc({ reason }, 0);
  }

  private counter<T extends string>(name: string, help: string, labelNames: T[] = []): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<T extends string>(name: string, help: string, labelNames: T[] = []): Gauge<T> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
