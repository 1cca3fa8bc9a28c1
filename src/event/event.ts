/** An accepted event after normalisation, as it is stored, published, handled and read back. */
export interface Event {
  /** UUIDv7, generated before the insert so that a retried statement can recognise its own row. */
  id: string;
  tenantId: string;
  /** The producer's id of the event. Equals `id` if none was sent. */
  eventId: string;
  type: string;
  subject: string;
  partitionKey: string;
  /** RFC 3339, UTC, milliseconds. */
  occurredAt: string;
  /** RFC 3339, UTC, milliseconds. */
  receivedAt: string;
  /** The payload as JSON text, exactly as the producer sent it. Never re-serialised. */
  payloadJson: string;
  /** What a CloudEvent has besides the other fields, as the JSON text of an object; see cloud-event-parts.ts. */
  extensionsJson?: string | null | undefined;
  source: string;
  /** The id of the source that the event came through, if it came through one (src/sources/). */
  sourceId?: string | null | undefined;
  schemaVersion: string;
  specVersion: string;
  /** SHA-256 of the canonical content, in hex; see content-hash.ts. */
  hash: string;
  correlationId: string;
  /** W3C trace context of the request, if it had one. */
  traceparent: string | undefined;
  /** Size of the record as received, in bytes. If the mapping of a source found a larger payload, the size of that. */
  sizeBytes: number;
}

/**
 * Returns the JSON text of an event, as callers, messages and destinations get it. The payload is inserted as its
 * original text; the members of `further` follow it.
 */
export function eventJson(event: Event, further: Record<string, unknown> = {}): string {
  const tail = JSON.stringify(further);
  return `${factsOf(event)},"payload":${event.payloadJson}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`;
}

/** The same for a caller who may not see payloads: `payloadHidden` stands in place of the payload. */
export function eventJsonWithoutPayload(event: Event, further: Record<string, unknown>): string {
  return `${factsOf(event)},${JSON.stringify({ payloadHidden: true, ...further }).slice(1)}`;
}

/** The JSON text of everything but the payload, without the closing brace. */
function factsOf(event: Event): string {
  const head = JSON.stringify({
    id: event.id,
    tenantId: event.tenantId,
    eventId: event.eventId,
    type: event.type,
    subject: event.subject,
    partitionKey: event.partitionKey,
    occurredAt: event.occurredAt,
    receivedAt: event.receivedAt,
    source: event.source,
    schemaVersion: event.schemaVersion,
    specVersion: event.specVersion,
    hash: event.hash,
    correlationId: event.correlationId,
  });
  const sourceId = event.sourceId ? `,"sourceId":"${event.sourceId}"` : '';
  return head.slice(0, -1) + sourceId + (event.extensionsJson ? `,"extensions":${event.extensionsJson}` : '');
}
