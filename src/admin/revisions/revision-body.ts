import { MAX_DEPTH } from '../../event/prepare-event';
import { childPointer, decodeUtf8, isJson, scanJsonObject } from '../../event/json/json-text';
import { parseJson } from '../../event/json/parse-json';
import { Problem, type ErrorDetail } from '../../event/problems';
import { JsonDocument } from '../../expressions/json-document';
import { parsePatch, type JsonPatch } from '../../expressions/patch/json-patch';
import { JSON_TYPE, PARSED_JSON, type RouteBody } from '../../http/route-body';
import { createValidationPipe } from '../../http/validation';
import { RevisionOptions } from './revisions.requests';

/** For what a request has besides a payload of MAX_EVENT_BYTES. */
const OVERHEAD_BYTES = 16_384;

/** The route gets the raw bytes: JSON.parse would round the numbers of the payload. */
export const REVISION_BODY: RouteBody = {
  ...PARSED_JSON,
  mediaTypes: [JSON_TYPE],
  maxBytes: (maxEventBytes) => maxEventBytes + OVERHEAD_BYTES,
};

/** The new payload as JSON text, or a patch of the newest one. */
export type NewContent = { payloadJson: string } | { patch: JsonPatch; patchJson: string };

export interface AskedRevision {
  content: NewContent;
  options: RevisionOptions;
}

const options = createValidationPipe();

/** @throws Problem `malformed-body` or `invalid-request` */
export async function readRevisionBody(body: unknown): Promise<AskedRevision> {
  const document = readObject(body);
  const members = document.memberTexts();
  const { payload: _payload, patch: _patch, ...rest } = document.value as Record<string, unknown>;
  const checked = (await options.transform(rest, { type: 'body', metatype: RevisionOptions })) as RevisionOptions;
  return { content: contentOf(members), options: checked };
}

function readObject(body: unknown): JsonDocument {
  if (!Buffer.isBuffer(body)) throw invalid('', 'a body is required');
  const text = decodeUtf8(body)?.trim();
  if (text === undefined || !isJson(text)) {
    throw new Problem('malformed-body', 'The body is not valid JSON in UTF-8.');
  }
  if (!text.startsWith('{')) throw invalid('', 'the body must be a JSON object');
  const { depth, repeated } = scanJsonObject(text);
  if (repeated !== undefined) throw invalid(childPointer('', repeated), 'is sent more than once');
  if (depth > MAX_DEPTH) throw invalid('', `must not be nested deeper than ${MAX_DEPTH} levels`);
  return new JsonDocument(text, parseJson(text));
}

function contentOf(members: ReadonlyMap<string, string>): NewContent {
  const payloadJson = members.get('payload');
  const patchJson = members.get('patch');
  if (payloadJson !== undefined && patchJson !== undefined) throw invalid('/patch', 'must not be sent beside payload');
  if (payloadJson !== undefined) return { payloadJson };
  if (patchJson === undefined) throw invalid('/payload', 'send either payload or patch');
  const read = parsePatch(new JsonDocument(patchJson));
  if ('patch' in read) return { patch: read.patch, patchJson };
  throw refused(read.errors.map((error) => ({ ...error, pointer: `/patch${error.pointer}` })));
}

const invalid = (pointer: string, message: string): Problem => refused([{ pointer, code: 'invalid-request', message }]);

const refused = (errors: ErrorDetail[]): Problem =>
  new Problem('invalid-request', 'Some parameters are invalid. See `errors`.', { errors });
