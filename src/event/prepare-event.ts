import { canonicalWithNames, type MemberPath } from './json/canonical-json';
import { parseExact, parseRepeating } from './json/exact-json';
import { canonicalContent, canonicalFields, sha256 } from './identity/content-hash';
import type { CloudEventParts } from './cloud-event/cloud-event-parts';
import type { Event } from './event';
import { utcText } from './instant';
import {
  claimedKeys,
  cloudEventKey,
  eventIdKey,
  sourceEventKey,
  type ClaimedKeys,
  type KeyRules,
} from './identity/idempotency-key';
import { childPointer, decodeUtf8, scanJsonObject, type JsonScan } from './json/json-text';
import { parseJson } from './json/parse-json';
import { findUnsupportedCharacter } from './json/unsupported-characters';
import { legacyKeys, type LegacyKeys } from './identity/legacy-keys';
import type { ErrorDetail, ProblemCode } from './problems';
import { shortError, shortText } from './short-error';
import { msOfLastUuidV7, uuidV7 } from './uuid-v7';
import { validateEnvelope, type NormalisedEnvelope } from './validate-envelope';

/** Facts of a request that apply to every event in it. */
export interface RequestContext {
  tenantId: string;
  correlationId: string;
  traceparent: string | undefined;
  /** The caller's key for this event: the header's value, on a stream followed by `#` and the record number. */
  idempotencyKey: string | undefined;
  /** The request of a source that the event came with. */
  received?: ReceivedBySource | undefined;
}

/** A request that came through a source, as it is kept with the events that it led to. */
export interface ReceivedBySource {
  sourceId: string;
  /** UUIDv7. */
  requestId: string;
  /** The request without its body, as JSON text; see kept-request.ts. */
  requestJson: string;
  /** Undefined when it equals the payload of the only event of the request. */
  body: Buffer | undefined;
  /** Members of the payload that the provider changes when it sends an event again, as paths. They are no content. */
  volatile?: readonly MemberPath[] | undefined;
}

export interface ContentRules extends KeyRules {
  MAX_EVENT_BYTES: number;
  DEDUPE_INCLUDE_OCCURRED_AT: boolean;
  /** True while the database may contain keys of an earlier build; see legacy-keys.ts. */
  checksLegacyKeys?: boolean;
}

/** An event ready to be stored, with the keys that decide whether it is new. */
export interface PreparedEvent extends ClaimedKeys {
  event: Event;
  /** Digest of the content. Two events have the same content when their fingerprints are equal. */
  fingerprint: string;
  legacy: LegacyKeys | undefined;
  received: ReceivedBySource | undefined;
}

export interface RecordRejection {
  code: ProblemCode;
  message: string;
  errors: ErrorDetail[];
  /** Id of the stored event that has the same key or id and other content. */
  conflictsWith?: string;
}

/** Nesting levels allowed in a payload. A scalar has 0. */
export const MAX_DEPTH = 64;

export type PrepareResult = { prepared: PreparedEvent } | { rejection: RecordRejection };

/**
 * Validates and normalises the bytes of one record. Returns an event ready to be stored, or the rejection. Pure, except
 * for the new id and the clock.
 * @param receivedBytes size of the record as the producer sent it, if `bytes` was converted from another format
 * @param cloudEvent the rest of the CloudEvent, if `bytes` was converted from one
 */
export function prepareEvent(
  bytes: Buffer,
  context: RequestContext,
  rules: ContentRules,
  receivedBytes = bytes.length,
  cloudEvent?: CloudEventParts,
): PrepareResult {
  const refused = refusedSize(receivedBytes, rules.MAX_EVENT_BYTES);
  if (refused) return refused;
  const text = decodeUtf8(bytes);
  if (text === undefined) return reject('malformed-body', 'The event is not valid UTF-8.');
  return prepareRecord(text, context, rules, receivedBytes, cloudEvent);
}

/**
 * The same for an envelope that was made from `receivedBytes` bytes: its fields as parseJson would return them, and a
 * JSON text that has at least its payload.
 */
export function prepareText(
  envelope: { text: string; value: object },
  context: RequestContext,
  rules: ContentRules,
  receivedBytes: number,
): PrepareResult {
  const refused = refusedSize(receivedBytes, rules.MAX_EVENT_BYTES);
  const read = refused ?? readEnvelope(envelope.text, envelope.value, context.received?.volatile);
  return 'rejection' in read ? read : { prepared: withKeys(read, receivedBytes, context, rules) };
}

function prepareRecord(
  text: string,
  context: RequestContext,
  rules: ContentRules,
  receivedBytes: number,
  cloudEvent?: CloudEventParts,
): PrepareResult {
  const read = readRecord(text, context.received?.volatile);
  return 'rejection' in read ? read : { prepared: withKeys({ ...read, cloudEvent }, receivedBytes, context, rules) };
}

/** A record that has passed all checks. */
interface ReadRecord {
  envelope: NormalisedEnvelope;
  /** The payload's original text. */
  payloadJson: string;
  /** The payload's canonical JSON, for comparison and hashing. */
  canonicalPayload: string;
  /** The same without the members that a retry may change. */
  lastingPayload: string;
  cloudEvent?: CloudEventParts | undefined;
}

export function refusedSize(receivedBytes: number, maxBytes: number): { rejection: RecordRejection } | undefined {
  return receivedBytes > maxBytes ? tooLarge(maxBytes) : undefined;
}

export function tooLarge(maxBytes: number): { rejection: RecordRejection } {
  return reject('event-too-large', `The event is larger than the maximum of ${maxBytes} bytes.`);
}

function readRecord(
  text: string,
  changes: readonly MemberPath[] | undefined,
): ReadRecord | { rejection: RecordRejection } {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return reject('malformed-body', `The event is not valid JSON: ${withoutContent(error)}.`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return rejectAt('invalid-event', '', 'must be a JSON object');
  }
  return readEnvelope(text, value, changes);
}

function readEnvelope(
  text: string,
  value: object,
  changes: readonly MemberPath[] | undefined,
): ReadRecord | { rejection: RecordRejection } {
  const scan = scanJsonObject(text);
  const refused = refusedByScan(scan);
  if (refused) return refused;
  const validated = validateEnvelope(value);
  if ('errors' in validated) return rejectForErrors(validated.errors);
  const payload = readPayload(text, scan, (value as { payload: unknown }).payload, changes);
  return 'rejection' in payload ? payload : { ...validated, ...payload };
}

/**
 * @param parsed the payload as parseJson returned it
 * @param changes members that a retry may change
 */
export function readPayload(
  text: string,
  scan: JsonScan,
  parsed: unknown,
  changes: readonly MemberPath[] | undefined,
): Pick<ReadRecord, 'payloadJson' | 'canonicalPayload' | 'lastingPayload'> | { rejection: RecordRejection } {
  const { start, end } = scan.members.get('payload') as { start: number; end: number }; // the schema requires it
  const payloadJson = text.slice(start, end);
  let payload = scan.inexactNumbers ? parseExact(payloadJson) : parsed;
  let canonical = canonicalWithNames(payload, changes);
  if (canonical.names < scan.names - scan.members.size) {
    payload = parseRepeating(payloadJson); // JSON.parse has dropped members
    canonical = canonicalWithNames(payload, changes);
  }
  const unsupported = scan.suspectEscapes ? findUnsupportedCharacter(payload, '/payload') : undefined;
  if (unsupported !== undefined) {
    return rejectAt('unsupported-character', unsupported, 'must not contain U+0000 or a lone surrogate');
  }
  return { payloadJson, canonicalPayload: canonical.text, lastingPayload: canonical.lasting };
}

export function refusedByScan({ depth, repeated }: JsonScan): { rejection: RecordRejection } | undefined {
  if (depth > MAX_DEPTH) {
    return rejectAt('invalid-event', '/payload', `must not be nested deeper than ${MAX_DEPTH} levels`);
  }
  if (repeated !== undefined) return rejectAt('invalid-event', childPointer('', repeated), 'must not occur twice');
  return undefined;
}

function withKeys(record: ReadRecord, sizeBytes: number, context: RequestContext, rules: ContentRules): PreparedEvent {
  const { envelope, payloadJson, cloudEvent } = record;
  const { tenantId, received } = context;
  const { eventId, occurredAt, ...fields } = envelope;
  const compareTimes = rules.DEDUPE_INCLUDE_OCCURRED_AT || occurredAt === undefined;
  const { hash, fingerprint } = digestsOf(record, received, compareTimes);
  const id = uuidV7();
  const receivedAt = utcText(msOfLastUuidV7()); // the same in both, because a range of time is looked up by ids
  return {
    event: {
      ...fields,
      id,
      tenantId,
      eventId: eventId ?? id,
      occurredAt: occurredAt?.utc ?? receivedAt,
      receivedAt,
      payloadJson,
      extensionsJson: cloudEvent?.extensionsJson,
      hash,
      correlationId: envelope.correlationId ?? context.correlationId,
      traceparent: context.traceparent,
      sizeBytes,
      sourceId: received?.sourceId,
    },
    fingerprint,
    received,
    ...keysOf(record, fingerprint, context, rules),
  };
}

/**
 * Returns the digest of the content, and that of what two copies of the event have in common: of the content without the
 * members that its provider changes when it sends the event again, and without its time unless times are compared.
 */
function digestsOf(
  { envelope, canonicalPayload, lastingPayload, cloudEvent }: ReadRecord,
  received: ReceivedBySource | undefined,
  compareTimes: boolean,
): { hash: string; fingerprint: string } {
  const isRenamed = received && !cloudEvent; // the name of a source may change, its id does not
  const source = isRenamed ? received.sourceId : envelope.source;
  const fields = canonicalFields(envelope, source, cloudEvent?.canonicalMembers);
  const whole = cloudEvent?.canonicalPayload ?? canonicalPayload;
  const lasting = cloudEvent?.canonicalPayload ?? lastingPayload;
  const hash = sha256(canonicalContent(fields, whole, true));
  if (compareTimes && lasting === whole) return { hash, fingerprint: hash };
  return { hash, fingerprint: sha256(canonicalContent(fields, lasting, compareTimes)) };
}

function keysOf(
  record: ReadRecord,
  fingerprint: string,
  { tenantId, idempotencyKey, received }: RequestContext,
  rules: ContentRules,
): ClaimedKeys & Pick<PreparedEvent, 'legacy'> {
  const { envelope, canonicalPayload, cloudEvent } = record;
  const { eventId, source } = envelope;
  const sourceId = received?.sourceId;
  const digest = (id: string): string => {
    if (sourceId !== undefined)
      return sourceEventKey(tenantId, sourceId, cloudEvent ? JSON.stringify([source, id]) : id);
    return cloudEvent ? cloudEventKey(tenantId, source, id) : eventIdKey(tenantId, id);
  };
  const ownId = eventId === undefined ? undefined : digest(eventId);
  const of = { tenantId, idempotencyKey, ownId, eventId, fingerprint, sourceId };
  const keys = claimedKeys(of, rules);
  if (!rules.checksLegacyKeys || sourceId !== undefined) return { ...keys, legacy: undefined };
  const { DEDUPE_INCLUDE_OCCURRED_AT: withTime } = rules;
  const before = cloudEvent
    ? sha256(canonicalContent(canonicalFields(envelope), cloudEvent.legacyPayload ?? canonicalPayload, withTime))
    : fingerprint;
  return { ...keys, legacy: legacyKeys(of, keys, before, cloudEvent !== undefined, rules) };
}

function reject(code: ProblemCode, message: string, errors: ErrorDetail[] = []): { rejection: RecordRejection } {
  return { rejection: { code, message: shortText(message), errors: errors.map(shortError) } };
}

function rejectAt(code: ProblemCode, pointer: string, message: string): { rejection: RecordRejection } {
  return reject(code, `${pointer} ${message}`, [{ pointer, code, message }]);
}

function rejectForErrors(errors: ErrorDetail[]): { rejection: RecordRejection } {
  const [first] = errors;
  return reject(first?.code ?? 'invalid-event', first ? `${first.pointer} ${first.message}` : 'is invalid', errors);
}

/** Describes a JSON.parse error without V8's message, which quotes the caller's data: messages may be logged. */
export function withoutContent(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message);
  return position ? `syntax error at position ${position[1]}` : 'unexpected token or end of input';
}
