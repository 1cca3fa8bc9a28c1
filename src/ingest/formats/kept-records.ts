import { prepareBinary, prepareStructured } from '../../event/cloud-event/prepare-cloud-event';
import { prepareEvent, type ContentRules, type PrepareResult, type RequestContext } from '../../event/prepare-event';
import type { RejectionFormat } from '../../rejections/rejection';
import { EventsDocument } from './xml-document';

/** A record that was refused and kept. */
export interface KeptRecord {
  bytes: Buffer;
  request: KeptHead;
}

/** What else is needed of the request to read a record again. */
export interface KeptHead {
  headers: Record<string, string>;
  /** Namespace declarations of the root that an XML <event> was in: attribute name → URI. */
  namespaces?: Record<string, string>;
}

interface KeptFormat {
  /**
   * Returns the record as the JSON text that a patch applies to. Bytes that are malformed stay malformed.
   * @throws Problem `malformed-body` for XML that is not well-formed
   */
  toJson: (record: KeptRecord, maxBytes: number) => Buffer;
  /** Prepares the JSON text of a record, patched or not. `receivedBytes` is the size that counts. */
  prepare: (
    json: Buffer,
    request: KeptHead,
    context: RequestContext,
    rules: ContentRules,
    receivedBytes: number,
  ) => PrepareResult;
}

const asSent = ({ bytes }: KeptRecord): Buffer => bytes;

/** How kept records are read again. A source reads its own. */
export const KEPT_FORMATS: Record<Exclude<RejectionFormat, 'source'>, KeptFormat> = {
  event: { toJson: asSent, prepare: (json, _request, context, rules) => prepareEvent(json, context, rules) },
  cloudevent: { toJson: asSent, prepare: (json, _request, context, rules) => prepareStructured(json, context, rules) },
  'cloudevent-binary': {
    toJson: asSent,
    prepare: (data, { headers }, context, rules) => prepareBinary(headers, data, context, rules),
  },
  xml: {
    toJson: jsonOfXmlEvent,
    prepare: (json, _request, context, rules, receivedBytes) => prepareEvent(json, context, rules, receivedBytes),
  },
};

function jsonOfXmlEvent({ bytes, request }: KeptRecord, maxBytes: number): Buffer {
  const declarations = Object.entries(request.namespaces ?? {}).map(([name, uri]) => ` ${name}="${escaped(uri)}"`);
  const document = new EventsDocument(maxBytes);
  document.write(`<events${declarations.join('')}>${bytes.toString()}</events>`);
  document.end();
  return Buffer.from(document.take()[0]?.json ?? '');
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };

/** White space other than the space would be normalised in the value of an attribute. */
function escaped(value: string): string {
  return value.replace(/[&<"\t\n\r]/g, (c) => ESCAPES[c] ?? `&#${c.charCodeAt(0)};`);
}
