import type { RecordRejection } from '../../event/prepare-event';
import { type JsonDocument } from '../../expressions/json-document';
import type { ReceivedRequest } from '../received-request';
import { scalarText } from '../scalar-text';
import type { CompiledMapping, FoundValue, MappedFrom } from './compile-mapping';
import { foundInstant } from './found-instant';
import type { MappedField } from './mapping';

/** The fields that a mapping found for one record. */
export interface MappedRecord {
  /** The record as the producer sent it, or the whole body. */
  document: JsonDocument;
  eventType: string | undefined;
  subject: string | undefined;
  eventId: string | undefined;
  idempotencyKey: string | undefined;
  occurredAt: string | undefined;
  partitionKey: string | undefined;
  payload: JsonDocument;
}

export type MapResult = MappedRecord | { rejection: RecordRejection };

/** The largest number of records in one request. SendGrid sends up to a thousand. */
export const MAX_RECORDS = 5_000;

/** Splits a request into its records. One without a list is one record, and so is an object in place of a list. */
export async function recordsOf(
  request: ReceivedRequest,
  body: JsonDocument,
  mapping: CompiledMapping,
): Promise<JsonDocument[] | { rejection: RecordRejection }> {
  if (!mapping.records) return [body];
  const found = await mapping.records(fromOf(request, body, body));
  if ('missing' in found) return rejectedFor('records', found.missing);
  if (typeof found.json.value !== 'object') return rejectedFor('records', 'it must find a list or an object');
  const items = found.json.items() ?? [found.json];
  if (items.length > MAX_RECORDS) return rejectedFor('records', `the list has more than ${MAX_RECORDS} items`);
  return items;
}

/** Finds the fields of one record. A field that has a mapping must be found: nothing is guessed. */
export async function mapRecord(
  request: ReceivedRequest,
  body: JsonDocument,
  document: JsonDocument,
  mapping: CompiledMapping,
): Promise<MapResult> {
  const from = fromOf(request, document, body);
  const record: MappedRecord = { document, payload: document, ...NOTHING_FOUND };
  for (const [field, find] of mapping.fields) {
    const pending = find(from);
    const found = pending instanceof Promise ? await pending : pending;
    const rejection = take(record, field, found);
    if (rejection) return rejection;
  }
  return record;
}

const NOTHING_FOUND = {
  eventType: undefined,
  subject: undefined,
  eventId: undefined,
  idempotencyKey: undefined,
  occurredAt: undefined,
  partitionKey: undefined,
};

function take(record: MappedRecord, field: MappedField, found: FoundValue): { rejection: RecordRejection } | undefined {
  if ('missing' in found) return rejectedFor(field, found.missing);
  if (field === 'payload') {
    record.payload = found.json;
    return undefined;
  }
  const text = field === 'occurredAt' ? foundInstant(found.json) : scalarText(found.json);
  if (text === undefined) return rejectedFor(field, 'it must find a text or a number');
  record[field] = text;
  return undefined;
}

function rejectedFor(field: string, reason: string): { rejection: RecordRejection } {
  const message = `mapping.${field}: ${reason}`;
  return {
    rejection: {
      code: 'invalid-event',
      message,
      errors: [{ pointer: `/${field}`, code: 'invalid-event', message }],
    },
  };
}

function fromOf(request: ReceivedRequest, document: JsonDocument, body: JsonDocument): MappedFrom {
  const { query, path } = request.facts;
  const scope = {
    document,
    body,
    query,
    path,
    // Most mappings need no headers, or only those that a template names.
    get headers() {
      return request.headers;
    },
  };
  return { request, scope };
}
