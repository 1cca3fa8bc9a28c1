import { SpanKind, type Attributes, type Span } from '@opentelemetry/api';
import { endFailed, isSampled, startSpan, traceparentOf } from '../../observability/spans';
import type { DispatchedEvent } from '../../event/dispatched-event';

/**
 * The CONSUMER span of a message, if its event is sampled, and the event in the trace context of that span: handlers pass
 * on what `traceparent` says.
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

/** When the outcome is committed, or the message goes back to its queue. */
export function endDispatchSpan(span: Span | undefined, attributes: Attributes, failure?: string): void {
  // It has ended if PostgreSQL went away in the middle of a batch that is settled one by one: the batch is settled again.
  if (!span?.isRecording()) return;
  span.setAttributes(attributes);
  if (failure === undefined) span.end();
  else endFailed(span, failure);
}

/** The span of a call to another system, which continues the trace from it. */
export async function spanOfCall<T>(
  event: DispatchedEvent,
  handler: string,
  call: (event: DispatchedEvent) => Promise<T>,
): Promise<T> {
  if (!isSampled(event.traceparent)) return call(event);
  const span = startSpan(`handle ${handler}`, event.traceparent, { kind: SpanKind.CLIENT });
  try {
    return await call({ ...event, traceparent: traceparentOf(span) });
  } finally {
    span.end();
  }
}
