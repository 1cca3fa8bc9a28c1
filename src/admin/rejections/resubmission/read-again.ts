import { Injectable } from '@nestjs/common';
import { largestSourceBody } from '../../../config/largest-source-body';
import { rejectionKey } from '../../../event/identity/idempotency-key';
import { decodeUtf8 } from '../../../event/json/json-text';
import type {
  ContentRules,
  PreparedEvent,
  PrepareResult,
  RecordRejection,
  RequestContext,
} from '../../../event/prepare-event';
import { Problem } from '../../../event/problems';
import { applyPatch, type PatchError } from '../../../expressions/patch/apply-patch';
import type { JsonPatch } from '../../../expressions/patch/json-patch';
import { KEPT_FORMATS, type KeptHead } from '../../../ingest/formats/kept-records';
import { CurrentRules } from '../../../ingest/store/current-rules';
import type { KeptRejection } from '../../../rejections/rejections.queries';
import { SourceRegistry } from '../../../sources/directory/source-registry';
import { KeptSourceRequest } from '../../../sources/intake/prepare-again';
import { keyForResubmission, type PatchEffect } from './key-for-resubmission';

/** The events that a rejection would become, or why it is refused again. A whole request of a source may hold several. */
export type ReadAgainResult = { events: PreparedEvent[] } | { rejection: RecordRejection };

/** How the record of a rejection is read: as JSON, which a patch applies to, and as events. */
interface ReadableRecord {
  json: () => string | undefined;
  /**
   * @param json in place of what was received
   * @param replacesMappedKey whether the key of the request replaces one that a mapping finds
   */
  prepare: (
    json: string | undefined,
    request: RequestContext,
    replacesMappedKey: boolean,
  ) => PrepareResult[] | Promise<PrepareResult[]>;
}

/** Prepares rejections as they would be prepared if they were received now. Stores nothing. */
@Injectable()
export class ReadAgain {
  constructor(
    private readonly contentRules: CurrentRules,
    private readonly sources: SourceRegistry,
  ) {}

  /** Call it before `read`: it makes sure that the rules of the sources are those of now. */
  async ready(): Promise<void> {
    await this.sources.ensureFresh();
  }

  async read(kept: KeptRejection, patch?: JsonPatch): Promise<ReadAgainResult> {
    const missing = missingBytes(kept, patch);
    if (missing !== undefined) return refused(kept.code, missing);
    try {
      return await this.readBytes(kept, patch);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return refused(error.code, error.detail);
    }
  }

  private async readBytes(kept: KeptRejection, patch: JsonPatch | undefined): Promise<ReadAgainResult> {
    const content = this.contentRules.current();
    const record = kept.format === 'source' ? this.recordOfSource(kept, content) : recordOfProducer(kept, content);
    const { MAX_EVENT_BYTES } = content;
    const mostBytes = kept.format === 'source' ? largestSourceBody(MAX_EVENT_BYTES) : MAX_EVENT_BYTES;
    const patched = patch && patchedJson(record.json(), patch, mostBytes);
    if (patched && 'error' in patched) return patchRefused(patched.error);
    const effect: PatchEffect = patched ? (patched.changed ? 'changed' : 'no-change') : 'none';
    const { key, replacesMapped } = keyForResubmission(kept, effect);
    const request = {
      tenantId: kept.tenantId,
      correlationId: kept.correlationId,
      traceparent: undefined,
      idempotencyKey: key,
    };
    return combined(kept, await record.prepare(patched?.changed ? patched.text : undefined, request, replacesMapped));
  }

  private recordOfSource(kept: KeptRejection, content: ContentRules): ReadableRecord {
    const source = kept.sourceId === null ? undefined : this.sources.withId(kept.sourceId);
    if (!source) throw new Problem('source-not-found', 'The source that received this record does not exist any more.');
    const { body: bytes, contentType, requestJson, receivedAt, recordNumber } = kept;
    const isOneOfMany = recordNumber !== null;
    const request = new KeptSourceRequest(source, { bytes, isOneOfMany, contentType, requestJson, receivedAt });
    return {
      json: () => request.json(),
      prepare: (json, context, replacesMappedKey) =>
        request.prepare({ json, request: context, content, replacesMappedKey }),
    };
  }
}

function recordOfProducer(kept: KeptRejection, content: ContentRules): ReadableRecord {
  const format = KEPT_FORMATS[kept.format as keyof typeof KEPT_FORMATS];
  const head: KeptHead = kept.requestJson === null ? { headers: {} } : (JSON.parse(kept.requestJson) as KeptHead);
  const asJson = (): Buffer => format.toJson({ bytes: kept.body, request: head }, content.MAX_EVENT_BYTES);
  return {
    json: () => textUnlessMalformed(asJson),
    prepare: (json, request) => {
      const bytes = json === undefined ? asJson() : Buffer.from(json);
      return [format.prepare(bytes, head, request, content, json === undefined ? kept.sizeBytes : bytes.length)];
    },
  };
}

function textUnlessMalformed(read: () => Buffer): string | undefined {
  try {
    return decodeUtf8(read());
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** Says which bytes are missing; undefined if all are there, or if the patch replaces them. */
function missingBytes({ erasedAt, body, sizeBytes }: KeptRejection, patch: JsonPatch | undefined): string | undefined {
  if (erasedAt !== null) return 'Its bytes were erased.';
  const [first] = patch ?? [];
  const isReplaced = first?.path.pointer === '' && (first.op === 'add' || first.op === 'replace');
  if (body.length >= sizeBytes || isReplaced) return undefined;
  return `Only the first ${body.length} of its ${sizeBytes} bytes are kept. Send it with a patch that replaces the whole record.`;
}

function patchedJson(
  json: string | undefined,
  patch: JsonPatch,
  maxLength: number,
): { text: string; changed: boolean } | { error: PatchError } {
  const result = applyPatch(json, patch, maxLength);
  return 'error' in result ? result : { text: result.text, changed: result.text !== json?.trim() };
}

/** Each event claims the key of its place in the rejection, so that another attempt with another patch finds it. */
function combined({ tenantId, id }: KeptRejection, made: readonly PrepareResult[]): ReadAgainResult {
  if (made.length === 0) return refused('invalid-event', 'The request has no records.');
  const refusal = made.find((one) => 'rejection' in one);
  if (refusal) return refusal;
  const events = made.flatMap((one) => ('prepared' in one ? [one.prepared] : []));
  return { events: events.map((one, i) => ({ ...one, rejectionDigest: rejectionKey(tenantId, id, i + 1) })) };
}

function refused(code: RecordRejection['code'], message: string): { rejection: RecordRejection } {
  return { rejection: { code, message, errors: [] } };
}

function patchRefused({ operation, message }: PatchError): { rejection: RecordRejection } {
  const pointer = operation === null ? '/patch' : `/patch/${operation}`;
  const code = 'invalid-request';
  return {
    rejection: { code, message: `The patch cannot be applied. ${message}`, errors: [{ pointer, code, message }] },
  };
}
