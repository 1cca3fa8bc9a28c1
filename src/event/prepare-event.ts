import { parseExact } from './json/canonical-json';
import { canonicalContent, sha256 } from './content-hash';
import type { Event } from './event';
import { derivedKey, eventIdKey, explicitKey, type DedupeStrategy } from './idempotency-key';
import { childPointer, decodeUtf8, findUnsupportedCharacter, scanJsonObject, type JsonScan } from './json/json-text';
import type { ErrorDetail, ProblemCode } from './problems';
import { uuidV7 } from './uuid-v7';
import { validateEnvelope, type NormalisedEnvelope } from './validate-envelope';

/** What the request says about every event in it. */
export interface RequestContext {
  tenantId: string;
  correlationId: string;
  traceparent: string | undefined;
  /** The caller's key for this event: the header, or header + `#` + record number on a stream. */
  idempotencyKey: string | undefined;
}

export interface ContentRules {
  MAX_EVENT_BYTES: number;
  DEDUPE_STRATEGY: DedupeStrategy;
  DEDUPE_INCLUDE_OCCURRED_AT: boolean;
}

/** An event that may be stored, with the keys that decide whether it is new. All digests are SHA-256 in hex. */
export interface PreparedEvent {
  event: Event;
  keyDigest: string;
  /** True when the caller named the key: then the same key with other content is an error, not a duplicate. */
  explicitKey: boolean;
  /** Present where the producer sent an eventId. */
  eventIdDigest: string | undefined;
  /** What "the same content" is compared by. */
  fingerprint: string;
}

export interface RecordRejection {
  code: ProblemCode;
  message: string;
  errors: ErrorDetail[];
}

/** Nesting allowed in a payload. A scalar has 0 levels. */
export const MAX_DEPTH = 64;

export type PrepareResult = { prepared: PreparedEvent } | { rejection: RecordRejection };

/**
 * From the bytes of one record to an event that may be stored, or to the reason why not. Pure but for id and clock.
 * @param receivedBytes size of what the producer sent, where `bytes` was made from another format
 */
export function prepareEvent(
  bytes: Buffer,
  context: RequestContext,
  rules: ContentRules,
  receivedBytes = bytes.length,
): PrepareResult {
  if (receivedBytes > rules.MAX_EVENT_BYTES) {
    return reject('event-too-large', `An event may have ${rules.MAX_EVENT_BYTES} bytes; this one has more.`);
  }
  const read = readRecord(bytes);
  return 'rejection' in read ? read : { prepared: withKeys(read, receivedBytes, context, rules) };
}

/** A record that keeps every rule of the envelope. */
interface ReadRecord {
  envelope: NormalisedEnvelope;
  /** The payload's own text. */
  payloadJson: string;
  /** The payload as it is compared and hashed. */
  payload: unknown;
}

function readRecord(bytes: Buffer): ReadRecord | { rejection: RecordRejection } {
  const text = decodeUtf8(bytes);
  if (text === undefined) return reject('malformed-body', 'This is not valid UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return reject('malformed-body', `This is not valid JSON: ${withoutContent(error)}.`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return rejectAt('invalid-event', '', 'must be a JSON object');
  }
  const scan = scanJsonObject(text);
  const refused = refusedByScan(scan);
  if (refused) return refused;
  const validated = validateEnvelope(value);
  if ('errors' in validated) return rejectForErrors(validated.errors);
  const { payload } = value as { payload: unknown };
  const unsupported = scan.suspectEscapes ? findUnsupportedCharacter(payload, '/payload') : undefined;
  if (unsupported !== undefined) {
    return rejectAt('unsupported-character', unsupported, 'must not contain U+0000 or a lone surrogate');
  }
  const { start, end } = scan.members.get('payload') as { start: number; end: number }; // the schema requires it
  const payloadJson = text.slice(start, end);
  return { ...validated, payloadJson, payload: scan.inexactNumbers ? parseExact(payloadJson) : payload };
}

function refusedByScan({ depth, repeated }: JsonScan): { rejection: RecordRejection } | undefined {
  if (depth > MAX_DEPTH) {
    return rejectAt('invalid-event', '/payload', `must not be nested deeper than ${MAX_DEPTH} levels`);
  }
  if (repeated !== undefined) return rejectAt('invalid-event', childPointer('', repeated), 'must not occur twice');
  return undefined;
}

function withKeys(
  { envelope, payload, payloadJson }: ReadRecord,
  sizeBytes: number,
  context: RequestContext,
  rules: ContentRules,
): PreparedEvent {
  const { tenantId, idempotencyKey } = context;
  const { occurredAt, ...fields } = envelope;
  const hash = sha256(canonicalContent(envelope, payload, true));
  const compareTimes = rules.DEDUPE_INCLUDE_OCCURRED_AT || occurredAt === undefined;
  const fingerprint = compareTimes ? hash : sha256(canonicalContent(envelope, payload, false));
  const id = uuidV7();
  const receivedAt = new Date().toISOString();
  return {
    event: {
      ...fields,
      id,
      tenantId,
      eventId: envelope.eventId ?? id,
      occurredAt: occurredAt?.utc ?? receivedAt,
      receivedAt,
      payloadJson,
      hash,
      correlationId: envelope.correlationId ?? context.correlationId,
      traceparent: context.traceparent,
      sizeBytes,
    },
    keyDigest: idempotencyKey
      ? explicitKey(tenantId, idempotencyKey)
      : derivedKey(tenantId, fingerprint, envelope.eventId, rules.DEDUPE_STRATEGY),
    explicitKey: idempotencyKey !== undefined,
    eventIdDigest: envelope.eventId === undefined ? undefined : eventIdKey(tenantId, envelope.eventId),
    fingerprint,
  };
}

function reject(code: ProblemCode, message: string, errors: ErrorDetail[] = []): { rejection: RecordRejection } {
  return { rejection: { code, message, errors } };
}

function rejectAt(code: ProblemCode, pointer: string, message: string): { rejection: RecordRejection } {
  return reject(code, `${pointer} ${message}`, [{ pointer, code, message }]);
}

function rejectForErrors(errors: ErrorDetail[]): { rejection: RecordRejection } {
  const [first] = errors;
  return reject(first?.code ?? 'invalid-event', first ? `${first.pointer} ${first.message}` : 'is invalid', errors);
}

/** V8 quotes the offending text in its message; a caller's data does not belong into logs. */
function withoutContent(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message);
  return position ? `see position ${position[1]}` : 'it ends or breaks too early';
}
