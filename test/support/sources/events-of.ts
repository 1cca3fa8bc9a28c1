import type { JsonDocument } from '../../../src/expressions/json-document';
import { compileMapping } from '../../../src/sources/mapping/compile-mapping';
import { mapRecord, recordsOf } from '../../../src/sources/mapping/map-request';
import type { Provider } from '../../../src/sources/providers/provider';
import type { ReceivedRequest } from '../../../src/sources/received-request';

/** What the mapping of a preset finds in a request: the fields of each event, or a rejection. */
export async function eventsOf({ mapping }: Provider, request: ReceivedRequest): Promise<unknown[]> {
  const body = request.document();
  if ('rejection' in body) return [body];
  const compiled = compileMapping(mapping);
  const documents = await recordsOf(request, body, compiled);
  if ('rejection' in documents) return [documents];
  const eventOf = async (document: JsonDocument): Promise<unknown> => {
    const mapped = await mapRecord(request, body, document, compiled);
    if ('rejection' in mapped) return mapped;
    const { eventType, subject, eventId, occurredAt, payload } = mapped;
    return { eventType, subject, eventId, occurredAt, payload: payload.text };
  };
  return Promise.all(documents.map(eventOf));
}
