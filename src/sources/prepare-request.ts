import { prepareBinary, prepareStructured } from '../event/cloud-event/prepare-cloud-event';
import { isBinaryCloudEvent } from '../event/cloud-event/cloud-event';
import {
  prepareText,
  type ContentRules,
  type PreparedEvent,
  type PrepareResult,
  type ReceivedBySource,
  type RecordRejection,
  type RequestContext,
} from '../event/prepare-event';
import { uuidV7 } from '../event/uuid-v7';
import { JsonDocument } from '../expressions/json-document';
import { isCloudEvent } from './is-cloud-event';
import type { LiveSource, SourceRules } from './live-source';
import { MappingLimits } from './mapping/mapping-limits';
import { mapRecord, recordsOf, type MappedRecord } from './mapping/map-request';
import type { ReceivedRequest } from './received-request';
import type { Verified } from './verification/verdict';

/** What a request of a source is made into. Decides nothing about what is stored already. */
export interface PreparedRequest {
  records: RecordOfRequest[];
  /** False if the whole request is one record. */
  isBatch: boolean;
  /** The request without its body, as it is kept with its events and rejections. */
  requestJson: string;
}

export interface RecordOfRequest {
  /** From 1; undefined if the whole request is one record. */
  number: number | undefined;
  made: PrepareResult | { filteredOut: PreparedEvent };
  /** The record as the producer sent it. */
  bytes: () => Buffer;
  idempotencyKey: string | undefined;
}

export interface PreparationContext {
  source: LiveSource;
  rules: SourceRules;
  verdict: Verified;
  request: RequestContext;
  content: ContentRules;
}

/** Parses, splits, maps and prepares a request that was verified. */
export async function prepareRequest(received: ReceivedRequest, context: PreparationContext): Promise<PreparedRequest> {
  const { rules, source, verdict } = context;
  const requestJson = JSON.stringify({
    ...received.kept(rules.mask),
    provider: source.row.provider,
    scheme: rules.verification.scheme,
    keyHint: verdict.keyHint ?? null,
  });
  const whole = (made: RecordOfRequest['made']): PreparedRequest => ({
    records: [{ number: undefined, made, bytes: () => received.facts.body, idempotencyKey: undefined }],
    isBatch: false,
    requestJson,
  });
  const kept = (body: Buffer | undefined): ReceivedBySource => ({
    sourceId: source.row.id,
    requestId: uuidV7(),
    requestJson,
    body,
    volatile: rules.changedByRetries,
  });
  if (rules.provider?.format === 'cloudevents' && isBinaryCloudEvent(received.facts.headers)) {
    const request = { ...context.request, received: kept(received.facts.body) };
    return whole(filtered(prepareBinary(received.facts.headers, received.facts.body, request, context.content), rules));
  }
  const body = received.document();
  if ('rejection' in body) return whole(body);
  const documents = await recordsOf(received, body, rules.mapping);
  if ('rejection' in documents) return whole(documents);
  const isBatch = rules.mapping.records !== undefined;
  const ofRequest = kept(isBatch || !isExactly(received) ? received.facts.body : undefined);
  const records: RecordOfRequest[] = [];
  const limits = new MappingLimits(context.content.MAX_EVENT_BYTES);
  for (const [i, document] of documents.entries()) {
    const one = { received, body, document, isBatch, ofRequest, limits };
    const reached = limits.reached();
    const record = reached ? notMapped(one, reached) : await prepareRecord(one, context);
    records.push({ ...record, number: isBatch ? i + 1 : undefined });
  }
  return { records, isBatch, requestJson };
}

interface OneRecord {
  received: ReceivedRequest;
  body: JsonDocument;
  document: JsonDocument;
  isBatch: boolean;
  ofRequest: ReceivedBySource;
  limits: MappingLimits;
}

async function prepareRecord(one: OneRecord, context: PreparationContext): Promise<Omit<RecordOfRequest, 'number'>> {
  const { received, body, document, isBatch, ofRequest, limits } = one;
  const bytes = (): Buffer => (isBatch ? Buffer.from(document.text) : received.facts.body);
  if (isCloudEvent(context.rules.provider, context.rules.mapping, document)) {
    const request = { ...context.request, received: ofRequest };
    const made = filtered(prepareStructured(bytes(), request, context.content), context.rules);
    return { made, bytes, idempotencyKey: undefined };
  }
  const mapped = await mapRecord(received, body, document, context.rules.mapping);
  if ('rejection' in mapped) return { made: mapped, bytes, idempotencyKey: undefined };
  const { idempotencyKey } = mapped;
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_KEY_LENGTH) {
    return { made: tooLongKey(), bytes, idempotencyKey: undefined };
  }
  const exact = mapped.payload === document ? ofRequest : withBody(ofRequest, received.facts.body);
  const request = { ...context.request, idempotencyKey, received: exact };
  const recordBytes = isBatch ? Buffer.byteLength(document.text) : received.facts.body.length;
  const payloadBytes = mapped.payload === document ? 0 : Buffer.byteLength(mapped.payload.text);
  limits.countPayload(payloadBytes);
  const size = Math.max(recordBytes, payloadBytes);
  const made = prepareText(envelopeOf(mapped, context.source.row.name), request, context.content, size);
  return { made: filtered(made, context.rules, mapped.payload), bytes, idempotencyKey };
}

function notMapped({ document }: OneRecord, rejection: RecordRejection): Omit<RecordOfRequest, 'number'> {
  return { made: { rejection }, bytes: () => Buffer.from(document.text), idempotencyKey: undefined };
}

const MAX_KEY_LENGTH = 512;

function tooLongKey(): { rejection: RecordRejection } {
  const message = `mapping.idempotencyKey: it must find a text of at most ${MAX_KEY_LENGTH} characters`;
  const errors = [{ pointer: '/idempotencyKey', code: 'invalid-event' as const, message }];
  return { rejection: { code: 'invalid-event', message, errors } };
}

const withBody = (kept: ReceivedBySource, body: Buffer): ReceivedBySource => (kept.body ? kept : { ...kept, body });

/** The envelope, with the payload exactly as it was sent. */
function envelopeOf(mapped: MappedRecord, name: string): { text: string; value: object } {
  const { eventType, subject, eventId, occurredAt, partitionKey, payload } = mapped;
  const fields = { eventType, subject, eventId, occurredAt, partitionKey, source: name };
  const text = `${JSON.stringify(fields).slice(0, -1)},"payload":${payload.text}}`;
  return { text, value: { ...fields, payload: payload.value } };
}

/** @param payload that of the event, if it is at hand */
function filtered(made: PrepareResult, { accept }: SourceRules, payload?: JsonDocument): RecordOfRequest['made'] {
  if (!accept || 'rejection' in made) return made;
  const { payloadJson, extensionsJson: _extensions, ...fields } = made.prepared.event;
  const { exact } = payload ?? new JsonDocument(payloadJson);
  return accept.matches({ ...fields, payload: exact }) ? made : { filteredOut: made.prepared };
}

const SPACE = 0x20;
const BOM = 0xef;

/** Whether a body equals the text of its payload, so that it need not be kept as well. */
function isExactly(received: ReceivedRequest): boolean {
  const parsed = received.parse();
  if ('rejection' in parsed || !parsed.fromJson) return false;
  const { body } = received.facts;
  const [first = SPACE] = body;
  const last = body.at(-1) ?? SPACE;
  if (first <= SPACE || first === BOM || last <= SPACE) return false; // the payload is cut to the JSON value
  return isUtf8Of(parsed.json, body);
}

/** JSON that was sent as text may have another charset. */
function isUtf8Of(text: string, body: Buffer): boolean {
  if (Buffer.byteLength(text) !== body.length) return false;
  return text.length === body.length || Buffer.from(text).equals(body);
}
