import { parseExact } from './canonical-json';
import { canonicalContent, sha256 } from './content-hash';
import type { Event } from './event';
import { derivedKey, eventIdKey, explicitKey, type DedupeStrategy } from './idempotency-key';
import { decodeUtf8, findUnsupportedCharacter, scanJsonObject } from './json-text';
import type { ErrorDetail, ProblemCode } from './problems';
import { uuidV7 } from './uuid-v7';
import { validateEnvelope } from './validate-envelope';

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

export interface Rejection {
  code: ProblemCode;
  message: string;
  errors: ErrorDetail[];
}

/** Nesting allowed in a payload. A scalar has 0 levels. */
export const MAX_DEPTH = 64;

/** From the bytes of one record to an event that may be stored, or to the reason why not. Pure but for id and clock. */
export function prepareEvent(
  bytes: Buffer,
  context: RequestContext,
  rules: ContentRules,
): { prepared: PreparedEvent } | { rejection: Rejection } {
  if (bytes.length > rules.MAX_EVENT_BYTES) {
    return reject('event-too-large', `An event may have ${rules.MAX_EVENT_BYTES} bytes; this one has ${bytes.length}.`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) return reject('malformed-body', 'This is not valid UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return reject('malformed-body', `This is not valid JSON: ${withoutContent(error)}.`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return reject('invalid-event', 'An event is a JSON object.', [
      { pointer: '', code: 'invalid-event', message: 'must be an object' },
    ]);
  }

  const scan = scanJsonObject(text);
  if (scan.depth > MAX_DEPTH) {
    return rejectAt('invalid-event', '/payload', `must not be nested deeper than ${MAX_DEPTH} levels`);
  }
  if (scan.repeated !== undefined) {
    return rejectAt('invalid-event', `/${scan.repeated}`, 'must not occur twice');
  }
  const validated = validateEnvelope(value);
  if ('errors' in validated) {
    const first = validated.errors[0];
    return reject(first?.code ?? 'invalid-event', `${first?.pointer ?? ''} ${first?.message ?? ''}`, validated.errors);
  }
  const payload = (value as { payload: unknown }).payload;
  const unsupported = scan.suspectEscapes ? findUnsupportedCharacter(payload, '/payload') : undefined;
  if (unsupported !== undefined) {
    return rejectAt('unsupported-character', unsupported, 'must not contain U+0000 or a lone surrogate');
  }

  const slice = scan.members.get('payload') as { start: number; end: number }; // the schema requires it
  const payloadJson = text.slice(slice.start, slice.end);
  const { envelope } = validated;
  const comparable = scan.inexactNumbers ? parseExact(payloadJson) : payload;
  const hash = sha256(canonicalContent(envelope, comparable, true));
  const fingerprint =
    rules.DEDUPE_INCLUDE_OCCURRED_AT || !envelope.occurredAt
      ? hash
      : sha256(canonicalContent(envelope, comparable, false));
  const id = uuidV7();
  const receivedAt = new Date().toISOString();
  const { tenantId, idempotencyKey } = context;
  return {
    prepared: {
      event: {
        id,
        tenantId,
        eventId: envelope.eventId ?? id,
        type: envelope.type,
        subject: envelope.subject,
        partitionKey: envelope.partitionKey,
        occurredAt: envelope.occurredAt?.utc ?? receivedAt,
        receivedAt,
        payloadJson,
        source: envelope.source,
        schemaVersion: envelope.schemaVersion,
        specVersion: envelope.specVersion,
        hash,
        correlationId: envelope.correlationId ?? context.correlationId,
        traceparent: context.traceparent,
        sizeBytes: bytes.length,
      },
      keyDigest: idempotencyKey
        ? explicitKey(tenantId, idempotencyKey)
        : derivedKey(tenantId, fingerprint, envelope.eventId, rules.DEDUPE_STRATEGY),
      explicitKey: idempotencyKey !== undefined,
      eventIdDigest: envelope.eventId === undefined ? undefined : eventIdKey(tenantId, envelope.eventId),
      fingerprint,
    },
  };
}

function reject(code: ProblemCode, message: string, errors: ErrorDetail[] = []): { rejection: Rejection } {
  return { rejection: { code, message, errors } };
}

function rejectAt(code: ProblemCode, pointer: string, message: string): { rejection: Rejection } {
  return reject(code, `${pointer} ${message}`, [{ pointer, code, message }]);
}

/** V8 quotes the offending text in its message; a caller's data does not belong into logs. */
function withoutContent(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message);
  return position ? `see position ${position[1]}` : 'it ends or breaks too early';
}
