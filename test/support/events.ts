import {
  prepareEvent,
  type ContentRules,
  type PreparedEvent,
  type RequestContext,
} from '../../src/event/prepare-event';
import { uuidV7 } from '../../src/event/uuid-v7';

export const RULES: ContentRules = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
};

/** Returns the body of a valid event. Its subject is new each time, so that two events are not duplicates. */
export function eventBody(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventType: 'order.paid', subject: `order-${uuidV7()}`, payload: { amount: 10 }, ...fields };
}

/** Returns a prepared event, which is what the batch writer takes. */
export function prepared(
  fields: Record<string, unknown> = {},
  context: Partial<RequestContext> = {},
  rules: Partial<ContentRules> = {},
): PreparedEvent {
  return preparedFrom(JSON.stringify(eventBody(fields)), context, rules);
}

/** Prepares the text of an event. */
export function preparedFrom(
  text: string,
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
  const result = prepareEvent(Buffer.from(text), full, { ...RULES, ...rules });
  if ('rejection' in result) throw new Error(result.rejection.message);
  return result.prepared;
}
