import {
  prepareEvent,
  type ContentRules,
  type PreparedEvent,
  type RequestContext,
} from '../../src/event/prepare-event';
import { uuidV7 } from '../../src/event/uuid-v7';

const RULES: ContentRules = { MAX_EVENT_BYTES: 262_144, DEDUPE_STRATEGY: 'intent', DEDUPE_INCLUDE_OCCURRED_AT: true };

/** The body of a valid event; its subject is new each time, so that two of them are not duplicates. */
export function eventBody(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventType: 'order.paid', subject: `order-${uuidV7()}`, payload: { amount: 10 }, ...fields };
}

/** A prepared event as the batch writer takes it. */
export function prepared(
  fields: Record<string, unknown> = {},
  context: Partial<RequestContext> = {},
  rules: Partial<ContentRules> = {},
): PreparedEvent {
  const full = {
    tenantId: 'acme',
    correlationId: 'test',
    traceparent: undefined,
    idempotencyKey: undefined,
    ...context,
  };
  const made = prepareEvent(Buffer.from(JSON.stringify(eventBody(fields))), full, { ...RULES, ...rules });
  if ('rejection' in made) throw new Error(made.rejection.message);
  return made.prepared;
}
