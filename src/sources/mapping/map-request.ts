import type { RecordRejection } from '../../event/prepare-event';
import type { ExpressionScope } from '../../expressions/expression-scope';
import { type JsonDocument } from '../../expressions/json-document';
import type { ReceivedRequest } from '../request/received-request';
import { scalarText } from '../request/scalar-text';
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
export function recordsOf(
  request: ReceivedRequest,
  body: JsonDocument,
  mapping: CompiledMapping,
): FoundRecords | Promise<FoundRecords> {
  if (!mapping.records) return [body];
  const found = mapping.records(fromOf(request, body, body));
  return found instanceof Promise ? found.then(recordsIn) : recordsIn(found);
}

type FoundRecords = JsonDocument[] | { rejection: RecordRejection };

function recordsIn(found: FoundValue): FoundRecords {
  if ('missing' in found) return rejectedFor('records', found.missing);
  if (typeof found.json.value !== 'object') return rejectedFor('records', 'it must find a list or an object');
  const items = found.json.items() ?? [found.json];
  if (items.length > MAX_RECORDS) return rejectedFor('records', `the list has more than ${MAX_RECORDS} items`);
  return items;
}

/**
 * Finds the fields of one record. A field that has a mapping must be found: nothing is guessed. Returns a promise only
 * where an expression has to be evaluated.
 */
export function mapRecord(
  request: ReceivedRequest,
  body: JsonDocument,
  document: JsonDocument,
  mapping: CompiledMapping,
): MapResult | Promise<MapResult> {
  const record: MappedRecord = { document, payload: document, ...NOTHING_FOUND };
  return mapFields(record, fromOf(request, document, body), mapping.fields);
}

function mapFields(
  record: MappedRecord,
  from: MappedFrom,
  fields: CompiledMapping['fields'],
): MapResult | Promise<MapResult> {
  for (const [i, { field, find }] of fields.entries()) {
    const found = find(from);
    if (found instanceof Promise) {
      return found.then((later) => take(record, field, later) ?? mapFields(record, from, fields.slice(i + 1)));
    }
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
  return { request, scope: new RequestScope(request, document, body) };
}

/** A class, because most mappings need no headers, and an object with a getter is slow to make. */
class RequestScope implements ExpressionScope {
  constructor(
    private readonly request: ReceivedRequest,
    readonly document: JsonDocument,
    readonly body: JsonDocument,
  ) {}

  get headers(): ExpressionScope['headers'] {
    return this.request.headers;
  }

  get query(): ExpressionScope['query'] {
    return this.request.facts.query;
  }

  get path(): string {
    return this.request.facts.path;
  }
}
