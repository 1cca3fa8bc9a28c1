import { didYouMean } from './did-you-mean';
import { ENVELOPE_SCHEMA } from './envelope-schema';

const FIELDS = Object.keys(ENVELOPE_SCHEMA.properties);

/** What other systems call the fields of the envelope, in lower case. */
const OTHER_NAMES: Record<string, string> = {
  ...namesOf('eventType', 'event', 'name', 'eventname', 'kind', 'topic', 'action'),
  ...namesOf('subject', 'aggregateid', 'resourceid', 'objectid'),
  ...namesOf('payload', 'data', 'body', 'content', 'message', 'attributes', 'properties'),
  ...namesOf('eventId', 'id', 'uuid', 'guid', 'messageid'),
  ...namesOf('occurredAt', 'time', 'timestamp', 'ts', 'date', 'datetime', 'createdat', 'created', 'eventtime'),
  ...namesOf('partitionKey', 'key', 'partition', 'routingkey', 'groupid'),
  ...namesOf('schemaVersion', 'version', 'dataversion'),
  ...namesOf('correlationId', 'traceid', 'requestid'),
};

/** What is not a field of the envelope but a header of the request. */
const HEADERS: Record<string, string> = {
  ...namesOf('X-Tenant-Id', 'tenant', 'tenantid'),
  ...namesOf('Idempotency-Key', 'idempotencykey', 'dedupekey', 'deduplicationid'),
};

/** The legacy name that may stand in for a field. */
const LEGACY: Record<string, string> = { eventType: 'type', subject: 'entityId' };

/** Returns what to say about a field that the envelope does not have, given the names of all fields that were sent. */
export function unknownField(name: string, sent: ReadonlySet<string>): string {
  const wrong = 'is not a field of the envelope';
  if (name === 'specversion' || name === 'datacontenttype') {
    return `${wrong}; send a CloudEvent with Content-Type: application/cloudevents+json`;
  }
  const plain = name.slice(0, 64).toLowerCase().replace(/[_-]/g, '');
  const header = Object.hasOwn(HEADERS, plain) ? HEADERS[plain] : undefined;
  if (header !== undefined) return `${wrong}; send the header ${header}`;
  const field = Object.hasOwn(OTHER_NAMES, plain) ? OTHER_NAMES[plain] : didYouMean(name, FIELDS);
  if (field === undefined || sent.has(field) || sent.has(LEGACY[field] ?? field)) return wrong;
  return `${wrong}; did you mean ${field}?`;
}

function namesOf(field: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, field]));
}
