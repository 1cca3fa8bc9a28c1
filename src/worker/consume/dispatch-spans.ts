import { SpanKind, type Attributes, type Span } from '@opentelemetry/api';
import { endFailed, isSampled, startSpan, traceparentOf } from '../../observability/spans';
import type { DispatchedEvent } from '../../event/dispatched-event';

/**
 * Starts the CONSUMER span of a message if its event is sampled. Returns the event with the trace context of that span,
 * because handlers pass `traceparent` on.
 */
export function startDispatchSpan(
  event: DispatchedEvent,
  queue: string,
  redelivered: boolean,
): { event: DispatchedEvent; span?: Span } {
  if (!isSampled(event.traceparent)) return { event };
  const span = startSpan(`process ${queue}`, event.traceparent, {
    kind: SpanKind.CONSUMER,
    attributes: {
      'messaging.system': 'rabbitmq',
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue,
      'messaging.message.id': event.id,
      'streamforge.event_id': event.id,
      'streamforge.correlation_id': event.correlationId,
      'streamforge.dispatch_no': event.dispatchNo,
      'streamforge.redelivered': redelivered,
    },
  });
  return { event: { ...event, traceparent: traceparentOf(span) }, span };
}

/** Ends the span once the outcome is committed or the message is requeued. */
export function endDispatchSpan(span: Span | undefined, attributes: Attributes, failure?: string): void {
  // The span may have ended before: an outage of PostgreSQL can make the consumer settle a batch a second time.
  if (!span?.isRecording()) return;
  span.setAttributes(attributes);
  if (failure === undefined) span.end();
  else endFailed(span, failure);
}
