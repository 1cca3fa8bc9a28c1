import { SpanKind, type Attributes, type Span } from '@opentelemetry/api';
import { endFailed, isSampled, startSpan, traceparentOf } from '../../observability/spans';
import type { DispatchedEvent } from '../../event/dispatched-event';

/** CONSUMER spans that have not ended, by delivered event. One that is given back unsettled is dropped with its event. */
const open = new WeakMap<DispatchedEvent, Span>();

/** The event, in the trace context of its delivery if it is sampled: handlers pass on what `traceparent` says. */
export function startDispatchSpan(event: DispatchedEvent, queue: string, redelivered: boolean): DispatchedEvent {
  if (!isSampled(event.traceparent)) return event;
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
  const traced = { ...event, traceparent: traceparentOf(span) };
  open.set(traced, span);
  return traced;
}

/** Once, when the outcome is committed. */
export function endDispatchSpan(event: DispatchedEvent, attributes: Attributes, failure?: string): void {
  const span = open.get(event);
  if (!span) return;
  open.delete(event);
  span.setAttributes(attributes);
  if (failure === undefined) span.end();
  else endFailed(span, failure);
}

/** A call to the outside, below the delivery. Its context is what the called system should continue. */
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
