import type { Logger } from '@nestjs/common';
import { SpanKind, type Span } from '@opentelemetry/api';
import type { OutgoingMessage, PublishOutcome } from '../broker/broker';
import { timeOfDayMs } from '../event/time-of-day';
import { writesDebug } from '../observability/app-logger';
import { endFailed, isSampled, startSpan, traceparentOf } from '../observability/spans';
import type { ClaimedEntry } from './outbox-entry';

/**
 * Traces and logs one claim: spans for its sampled entries, and at debug level one line for the claim and one for each
 * entry. An entry that is not sampled costs only a check of its trace context.
 */
export class ClaimReport {
  private readonly startedMs = performance.now();
  private readonly spans = new Map<number, Span>();

  /** Sets the trace context of sampled messages to their PRODUCER span. */
  constructor(
    private readonly logger: Logger,
    private readonly entries: readonly ClaimedEntry[],
    private readonly messages: readonly OutgoingMessage[],
  ) {
    const traces = entries.flatMap(({ event }) => (isSampled(event.traceparent) ? [event.traceparent] : []));
    if (traces.length > 0) entries.forEach((entry, i) => this.begin(entry, i, traces));
  }

  published(outcomes: readonly PublishOutcome[]): void {
    for (const [i, span] of this.spans) {
      const outcome = outcomes[i];
      if (outcome === 'confirmed') span.end();
      else endFailed(span, typeof outcome === 'object' ? 'rejected' : String(outcome));
    }
    if (!writesDebug()) return;
    this.entries.forEach(({ event, dispatchNo, destination }, i) => {
      const { id: eventId, tenantId, correlationId } = event;
      const outcome = outcomes[i];
      const word = typeof outcome === 'object' ? 'rejected' : outcome;
      const line = { eventId, tenantId, correlationId, dispatchNo, destination, outcome: word };
      this.logger.debug({ msg: 'event.published', ...line });
    });
    const confirmed = outcomes.filter((outcome) => outcome === 'confirmed').length;
    const durationMs = Math.round(performance.now() - this.startedMs);
    this.logger.debug({ msg: 'outbox.published', claimed: this.entries.length, confirmed, durationMs });
  }

  /** Adds a span for the wait in the outbox as well. It begins at an instant of PostgreSQL's clock. */
  private begin(
    { event, createdAt, dispatchNo, destination }: ClaimedEntry,
    i: number,
    traces: readonly string[],
  ): void {
    if (!isSampled(event.traceparent)) return;
    const waitedMs = Math.max(0, timeOfDayMs() - Date.parse(createdAt));
    const attributes = { 'streamforge.event_id': event.id, 'streamforge.dispatch_no': dispatchNo };
    const wait = startSpan('outbox', event.traceparent, { startedMs: Date.now() - waitedMs, attributes });
    const message = this.messages[i] as OutgoingMessage;
    const span = startSpan(`publish ${message.queue}`, traceparentOf(wait), {
      kind: SpanKind.PRODUCER,
      links: traces.filter((other) => other !== event.traceparent).slice(0, 16),
      attributes: {
        ...attributes,
        'messaging.system': 'rabbitmq',
        'messaging.operation.type': 'send',
        'messaging.destination.name': message.queue,
        'messaging.message.id': message.id,
        'messaging.batch.message_count': this.entries.length,
        'streamforge.destination': destination,
      },
    });
    wait.end();
    if (span.isRecording()) message.headers.traceparent = traceparentOf(span);
    this.spans.set(i, span);
  }
}
