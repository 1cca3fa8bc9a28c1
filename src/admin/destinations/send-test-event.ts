import type { Courier } from '../../destinations/courier';
import type { SealedDestination } from '../../destinations/destination';
import { eventJson, type Event } from '../../event/event';
import { prepareEvent, type ContentRules } from '../../event/prepare-event';
import type { TestDeliveryResponse } from './destinations.responses';

const TEST_ENVELOPE = {
  eventType: 'streamforge.test',
  subject: 'test',
  source: 'streamforge',
  payload: { message: 'This is a test delivery from StreamForge.' },
};
/** 1 kB holds TEST_ENVELOPE. The other settings affect only idempotency keys, which a test event does not use. */
const RULES: ContentRules = {
  MAX_EVENT_BYTES: 1_024,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
};

/** Sends one test event, even to a disabled destination. The event is neither stored nor retried. */
export async function sendTest(
  courier: Courier,
  destination: SealedDestination,
  correlationId: string,
): Promise<TestDeliveryResponse> {
  const startedMs = Date.now();
  const event = makeTestEvent(destination.tenantId, correlationId);
  const response = await courier.test(destination, {
    id: event.id,
    body: Buffer.from(eventJson(event)),
    attempt: 1,
    correlationId,
  });
  const durationMs = Date.now() - startedMs;
  if (response.kind !== 'answered') {
    return { delivered: false, status: null, reasonCode: response.reason, message: response.message, durationMs };
  }
  const { status, text } = response;
  const delivered = status >= 200 && status < 300;
  return { delivered, status, reasonCode: reasonOf(status), message: text.replaceAll('\0', ' '), durationMs };
}

function reasonOf(status: number): string {
  if (status >= 200 && status < 300) return 'PROCESSED';
  return status === 429 ? 'HTTP_429' : `HTTP_${Math.floor(status / 100)}XX`;
}

/** Prepares the event as ingest does, so that its fields and its hash have the form of a real delivery. */
function makeTestEvent(tenantId: string, correlationId: string): Event {
  const context = { tenantId, correlationId, traceparent: undefined, idempotencyKey: undefined };
  const result = prepareEvent(Buffer.from(JSON.stringify(TEST_ENVELOPE)), context, RULES);
  if ('rejection' in result) throw new Error(`The test event is invalid: ${result.rejection.message}`);
  return result.prepared.event;
}
