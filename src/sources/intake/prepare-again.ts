import { isBinaryCloudEvent } from '../../event/cloud-event/cloud-event';
import { decodeUtf8 } from '../../event/json/json-text';
import type { ContentRules, PrepareResult, RequestContext } from '../../event/prepare-event';
import { rulesOf, type LiveSource } from '../directory/live-source';
import type { KeptRequest } from '../request/kept-request';
import { ReceivedRequest } from '../request/received-request';
import { prepareRequest } from './prepare-request';

/** What is kept of a request, or of one record of it, that a source refused. */
export interface KeptOfSource {
  /** The body of the request as it was received, or the JSON of one record of it. */
  bytes: Buffer;
  isOneOfMany: boolean;
  contentType: string | null;
  /** The request without its body, as JSON text; see kept-request.ts. */
  requestJson: string | null;
  receivedAt: string;
}

interface KeptHead extends Partial<KeptRequest> {
  keyHint?: string | null;
}

/** How a request is prepared again. */
export interface AgainAs {
  /** In place of what was received. */
  json: string | undefined;
  request: RequestContext;
  content: ContentRules;
  /** Whether the key of `request` replaces one that the mapping finds. */
  replacesMappedKey: boolean;
}

/** A request that a source refused, to be prepared again by the source as it is now. It is not verified again. */
export class KeptSourceRequest {
  private readonly head: KeptHead;
  private readonly received: ReceivedRequest;

  constructor(
    private readonly source: LiveSource,
    private readonly kept: KeptOfSource,
  ) {
    this.head = kept.requestJson === null ? {} : (JSON.parse(kept.requestJson) as KeptHead);
    this.received = kept.isOneOfMany
      ? this.requestWith(kept.bytes, 'application/json')
      : this.requestWith(kept.bytes, kept.contentType ?? undefined, source.jsonField);
  }

  /** The JSON text that a patch applies to: the data of a CloudEvent in binary mode, else the body or the record. */
  json(): string | undefined {
    if (this.isBinary()) return decodeUtf8(this.kept.bytes);
    const document = this.received.document();
    return 'rejection' in document ? undefined : document.text;
  }

  /**
   * Returns what each record of the request is made into. An expression sees the record in place of a body that had many.
   * The events keep the request as it was received and verified.
   * @throws Problem `source-unavailable`
   */
  async prepare({ json, request, content, replacesMappedKey }: AgainAs): Promise<PrepareResult[]> {
    const received = json === undefined ? this.received : this.changedTo(json);
    const rules = rulesOf(this.source);
    const ofKept = this.kept.isOneOfMany ? { ...rules, mapping: { ...rules.mapping, records: undefined } } : rules;
    const verdict = { verified: true as const, keyHint: this.head.keyHint ?? undefined };
    const { records } = await prepareRequest(received, {
      source: this.source,
      rules: ofKept,
      verdict,
      request,
      content,
      replacesMappedKey,
      ...(json === undefined ? {} : { original: this.received }),
    });
    return records.map(({ made }) => ('filteredOut' in made ? FILTERED_OUT : made));
  }

  private isBinary(): boolean {
    const { provider } = rulesOf(this.source);
    return provider?.format === 'cloudevents' && isBinaryCloudEvent(this.received.facts.headers);
  }

  private changedTo(json: string): ReceivedRequest {
    return this.requestWith(
      Buffer.from(json),
      this.isBinary() ? (this.kept.contentType ?? undefined) : 'application/json',
    );
  }

  private requestWith(body: Buffer, contentType: string | undefined, jsonField?: string): ReceivedRequest {
    const { method = 'POST', path = '', query = {}, headers = {}, address = '' } = this.head;
    const sent = { ...headers, ...(contentType === undefined ? {} : { 'content-type': contentType }) };
    const receivedAt = new Date(this.kept.receivedAt);
    return new ReceivedRequest({ method, path, url: path, query, headers: sent, body, address, receivedAt }, jsonField);
  }
}

const FILTERED_OUT: PrepareResult = {
  rejection: { code: 'invalid-event', message: 'The filter of the source does not accept this record.', errors: [] },
};
