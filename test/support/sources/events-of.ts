import type { JsonDocument } from '../../../src/expressions/json-document';
import { isCloudEvent } from '../../../src/sources/intake/is-cloud-event';
import { prepareStructured } from '../../../src/event/cloud-event/prepare-cloud-event';
import { compileMapping } from '../../../src/sources/mapping/compile-mapping';
import { mapRecord, recordsOf } from '../../../src/sources/mapping/map-request';
import type { Provider } from '../../../src/sources/providers/provider';
import type { ReceivedRequest } from '../../../src/sources/request/received-request';

/** What the mapping of a preset finds in a request: the fields of each event, or a rejection. */
export async function eventsOf(
  provider: Pick<Provider, 'mapping' | 'format'>,
  request: ReceivedRequest,
): Promise<unknown[]> {
  const body = request.document();
  if ('rejection' in body) return [body];
  const compiled = compileMapping(provider.mapping);
  const documents = await recordsOf(request, body, compiled);
  if ('rejection' in documents) return [documents];
  const eventOf = async (document: JsonDocument): Promise<unknown> => {
    if (isCloudEvent(provider, compiled, document)) return cloudEventOf(document);
    const mapped = await mapRecord(request, body, document, compiled);
    if ('rejection' in mapped) return mapped;
    const { eventType, subject, eventId, occurredAt, payload } = mapped;
    return { eventType, subject, eventId, occurredAt, payload: payload.text };
  };
  return Promise.all(documents.map(eventOf));
}

const CONTEXT = { tenantId: 't', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };
const RULES = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent' as const,
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
};

function cloudEventOf(document: JsonDocument): unknown {
  const made = prepareStructured(Buffer.from(document.text), CONTEXT, RULES);
  if ('rejection' in made) return made;
  const { type: eventType, subject, eventId, occurredAt, payloadJson: payload } = made.prepared.event;
  return { eventType, subject, eventId, occurredAt: occurredAt ?? undefined, payload };
}
