import { prepareBinary, prepareStructured } from '../../event/cloud-event/prepare-cloud-event';
import { isBinaryCloudEvent } from '../../event/cloud-event/cloud-event';
import {
  prepareText,
  type ContentRules,
  type PreparedEvent,
  type PrepareResult,
  type ReceivedBySource,
  type RecordRejection,
  type RequestContext,
} from '../../event/prepare-event';
import { uuidV7 } from '../../event/uuid-v7';
import { JsonDocument } from '../../expressions/json-document';
import { isCloudEvent } from './is-cloud-event';
import type { LiveSource, SourceRules } from '../directory/live-source';
import { MappingLimits } from '../mapping/mapping-limits';
import { mapRecord, recordsOf, type MapResult, type MappedRecord } from '../mapping/map-request';
import type { ReceivedRequest } from '../request/received-request';
import type { Verified } from '../verification/verdict';

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
  /** Only of a request that an operator resubmits: whether its key replaces one that the mapping finds. */
  replacesMappedKey?: boolean;
  /** Only of a request that an operator has changed: the one that was received and verified, which the events keep. */
  original?: ReceivedRequest;
}

/**
 * Parses, splits, maps and prepares a request that was verified. Returns a promise only for a list of records, and where
 * an expression has to be evaluated.
 */
export function prepareRequest(
  received: ReceivedRequest,
  context: PreparationContext,
): PreparedRequest | Promise<PreparedRequest> {
  const { rules } = context;
  const { original } = context;
  const requestJson = `{${(original ?? received).keptMembers(rules.kept)},${rules.kept.verificationOf(context.verdict)}}`;
  const { body } = received.facts;
  if (rules.provider?.format === 'cloudevents' && isBinaryCloudEvent(received.facts.headers)) {
    const request = { ...context.request, received: kept(original?.facts.body ?? body, requestJson, context) };
    const made = prepareBinary(received.facts.headers, body, request, context.content);
    return wholeRequest(filtered(made, rules), received, requestJson);
  }
  const document = received.document();
  if ('rejection' in document) return wholeRequest(document, received, requestJson);
  const isBatch = rules.mapping.records !== undefined;
  const ofRequest = original
    ? kept(original.facts.body, requestJson, context)
    : kept(isBatch || !isExactly(received) ? body : undefined, requestJson, context);
  const limits = new MappingLimits(context.content.MAX_EVENT_BYTES);
  const all = { received, body: document, isBatch, ofRequest, limits };
  if (isBatch) return prepareList(all, context);
  const record = prepareRecord({ ...all, document }, context);
  return record instanceof Promise ? record.then((later) => single(later, requestJson)) : single(record, requestJson);
}

/** A request that is one record. */
function single(record: Prepared, requestJson: string): PreparedRequest {
  return { records: [{ ...record, number: undefined }], isBatch: false, requestJson };
}

function wholeRequest(made: RecordOfRequest['made'], received: ReceivedRequest, requestJson: string): PreparedRequest {
  return single({ made, bytes: bytesOfBody(received), idempotencyKey: undefined }, requestJson);
}

function kept(body: Buffer | undefined, requestJson: string, { source, rules }: PreparationContext): ReceivedBySource {
  return { sourceId: source.row.id, requestId: uuidV7(), requestJson, body, volatile: rules.changedByRetries };
}

async function prepareList(all: RequestOfRecords, context: PreparationContext): Promise<PreparedRequest> {
  const { received, body, ofRequest, limits } = all;
  const { requestJson } = ofRequest;
  const documents = await recordsOf(received, body, context.rules.mapping);
  if ('rejection' in documents) return wholeRequest(documents, received, requestJson);
  const records: RecordOfRequest[] = [];
  for (const [i, document] of documents.entries()) {
    const one = { ...all, document };
    const reached = limits.reached();
    const record = reached ? notMapped(one, reached) : prepareRecord(one, withKeyOf(context, i + 1));
    records.push({ ...(record instanceof Promise ? await record : record), number: i + 1 });
  }
  return { records, isBatch: true, requestJson };
}

/** Only a request that an operator resubmits may have a key of its own. */
function withKeyOf(context: PreparationContext, record: number): PreparationContext {
  const { idempotencyKey } = context.request;
  if (idempotencyKey === undefined) return context;
  return { ...context, request: { ...context.request, idempotencyKey: `${idempotencyKey}#${record}` } };
}

/** What the records of a request have in common. */
interface RequestOfRecords {
  received: ReceivedRequest;
  body: JsonDocument;
  isBatch: boolean;
  ofRequest: ReceivedBySource;
  limits: MappingLimits;
}

interface OneRecord extends RequestOfRecords {
  document: JsonDocument;
}

type Prepared = Omit<RecordOfRequest, 'number'>;

function prepareRecord(one: OneRecord, context: PreparationContext): Prepared | Promise<Prepared> {
  const { received, body, document, ofRequest } = one;
  const bytes = bytesOf(one);
  if (isCloudEvent(context.rules.provider, context.rules.mapping, document)) {
    const request = { ...context.request, received: ofRequest };
    const made = filtered(prepareStructured(bytes(), request, context.content), context.rules);
    return { made, bytes, idempotencyKey: undefined };
  }
  const mapped = mapRecord(received, body, document, context.rules.mapping);
  const prepare = (result: MapResult): Prepared => prepareMapped(result, one, bytes, context);
  return mapped instanceof Promise ? mapped.then(prepare) : prepare(mapped);
}

/** Each function holds only what it needs: a parsed body would otherwise live until its event is stored. */
const bytesOf = ({ isBatch, received, document }: OneRecord): (() => Buffer) =>
  isBatch ? bytesOfItem(document) : bytesOfBody(received);
const bytesOfItem = (document: JsonDocument) => (): Buffer => Buffer.from(document.text);
const bytesOfBody = (received: ReceivedRequest) => (): Buffer => received.facts.body;

function prepareMapped(mapped: MapResult, one: OneRecord, bytes: () => Buffer, context: PreparationContext): Prepared {
  const { received, document, isBatch, ofRequest, limits } = one;
  if ('rejection' in mapped) return { made: mapped, bytes, idempotencyKey: undefined };
  const { idempotencyKey } = mapped;
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_KEY_LENGTH) {
    return { made: tooLongKey(), bytes, idempotencyKey: undefined };
  }
  const exact = mapped.payload === document ? ofRequest : withBody(ofRequest, received.facts.body);
  const ofMapping = context.replacesMappedKey ? undefined : idempotencyKey;
  const key = ofMapping ?? context.request.idempotencyKey;
  const request = { ...context.request, idempotencyKey: key, received: exact };
  const recordBytes = isBatch ? Buffer.byteLength(document.text) : received.facts.body.length;
  const payloadBytes = mapped.payload === document ? 0 : Buffer.byteLength(mapped.payload.text);
  limits.countPayload(payloadBytes);
  const size = Math.max(recordBytes, payloadBytes);
  const made = prepareText(envelopeOf(mapped, context.source.row.name), request, context.content, size);
  return { made: filtered(made, context.rules, mapped.payload), bytes, idempotencyKey };
}

function notMapped({ document }: OneRecord, rejection: RecordRejection): Prepared {
  return { made: { rejection }, bytes: bytesOfItem(document), idempotencyKey: undefined };
}

const MAX_KEY_LENGTH = 512;

function tooLongKey(): { rejection: RecordRejection } {
  const message = `mapping.idempotencyKey: it must find a text of at most ${MAX_KEY_LENGTH} characters`;
  const errors = [{ pointer: '/idempotencyKey', code: 'invalid-event' as const, message }];
  return { rejection: { code: 'invalid-event', message, errors } };
}

const withBody = (kept: ReceivedBySource, body: Buffer): ReceivedBySource => (kept.body ? kept : { ...kept, body });

/** The envelope, with the payload exactly as it was sent. Nothing reads the other fields from the text. */
function envelopeOf(mapped: MappedRecord, source: string): { text: string; value: object } {
  const { eventType, subject, eventId, occurredAt, partitionKey, payload } = mapped;
  const value = { eventType, subject, eventId, occurredAt, partitionKey, source, payload: payload.value };
  return { text: `{"payload":${payload.text}}`, value };
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
