import { isUtf8 } from 'node:buffer';
import type { SealedDestination } from '../../destinations/destination';
import { EventFilters } from '../../destinations/render/event-filters';
import type { Senders } from '../../destinations/senders';
import type { Event } from '../../event/event';
import { revisedEventJson, webhookIdOf, type RevisedEvent } from '../../revisions/revised-event';
import { withoutSecrets } from '../../observability/log-format';
import { prepareEvent, type ContentRules } from '../../event/prepare-event';
import { matchesType } from '../../event/type-pattern';
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

/** Bytes of a body that the response shows. */
const SHOWN_BYTES = 16_384;

/** Whom a test is for, and whether it is a dry run: the request is made, and not sent. */
export interface DestinationTest {
  destination: SealedDestination;
  dryRun: boolean;
}

/** Sends a made-up event, even to a disabled destination, whatever its filter. Nothing is stored or retried. */
export function sendTestEvent(
  senders: Senders,
  test: DestinationTest,
  correlationId: string,
): Promise<TestDeliveryResponse> {
  return send(senders, test, { ...makeTestEvent(test.destination.tenantId, correlationId), revision: null }, null);
}

/** Sends a stored event as it would be delivered, even to a disabled destination. Nothing is stored or retried. */
export async function sendStoredEvent(
  senders: Senders,
  test: DestinationTest,
  event: RevisedEvent,
): Promise<TestDeliveryResponse> {
  const fault = mismatch(test.destination, event);
  if (fault === undefined) return send(senders, test, event, true);
  const nothing = { status: null, reasonCode: null, durationMs: 0, request: null };
  return { delivered: false, matches: false, message: fault, ...nothing };
}

function mismatch(destination: SealedDestination, event: RevisedEvent): string | undefined {
  if (!matchesType(destination.eventTypes, event.type)) return 'not sent: the type is not one of eventTypes';
  const passes = new EventFilters().matches(destination, Buffer.from(revisedEventJson(event)));
  return passes ? undefined : 'not sent: the event does not match the filter';
}

async function send(
  senders: Senders,
  { destination, dryRun }: DestinationTest,
  event: RevisedEvent,
  matches: true | null,
): Promise<TestDeliveryResponse> {
  const startedMs = performance.now();
  const { id, revision, correlationId } = event;
  const message = {
    id: webhookIdOf(id, revision),
    body: Buffer.from(revisedEventJson(event)),
    attempt: 1,
    correlationId,
  };
  const { answer, sent } = await senders.test(destination, message, dryRun);
  const request = sent ? { headers: sent.headers, bodyText: shownText(sent.body) } : null;
  const facts = { matches, durationMs: Math.round(performance.now() - startedMs), request };
  if (!answer) return { delivered: false, status: null, reasonCode: null, message: '', ...facts };
  if (answer.kind !== 'answered') {
    return { delivered: false, status: null, reasonCode: answer.reason, message: answer.message, ...facts };
  }
  const { status, text } = answer;
  const delivered = status >= 200 && status < 300;
  return {
    delivered,
    status,
    reasonCode: reasonOf(status),
    message: withoutSecrets(text).replaceAll('\0', ' '),
    ...facts,
  };
}

const shownText = (body: Buffer): string | null => (isUtf8(body) ? body.toString('utf8', 0, SHOWN_BYTES) : null);

function reasonOf(status: number): string {
  if (status >= 200 && status < 300) return 'PROCESSED';
  return status === 429 ? 'HTTP_429' : `HTTP_${Math.min(Math.floor(status / 100), 5)}XX`;
}

/** Prepares the event as ingest does, so that its fields and its hash have the form of a real delivery. */
function makeTestEvent(tenantId: string, correlationId: string): Event {
  const context = { tenantId, correlationId, traceparent: undefined, idempotencyKey: undefined };
  const result = prepareEvent(Buffer.from(JSON.stringify(TEST_ENVELOPE)), context, RULES);
  if ('rejection' in result) throw new Error(`The test event is invalid: ${result.rejection.message}`);
  return result.prepared.event;
}
