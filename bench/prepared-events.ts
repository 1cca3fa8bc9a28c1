import type * as PrepareEvent from '../src/event/prepare-event.js';
import { compiled } from '#bench/compiled';
import { eventJson, type EventSource } from '#bench/events';

const { prepareEvent } = compiled<typeof PrepareEvent>('event/prepare-event');

const RULES = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
} as const;

/** Events `from` to `from + count - 1` of a tenant, prepared as for the batch writer. */
export function preparedEvents(
  tenantId: string,
  source: EventSource,
  from: number,
  count: number,
): PrepareEvent.PreparedEvent[] {
  const context = { tenantId, correlationId: tenantId, traceparent: undefined, idempotencyKey: undefined };
  return Array.from({ length: count }, (_, i) => {
    const made = prepareEvent(Buffer.from(eventJson(source, from + i)), context, RULES);
    if ('rejection' in made) throw new Error(made.rejection.message);
    return made.prepared;
  });
}
