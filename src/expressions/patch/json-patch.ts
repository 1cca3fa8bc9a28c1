import { childPointer } from '../../event/json/json-text';
import type { ErrorDetail } from '../../event/problems';
import { type JsonDocument } from '../json-document';
import { parsePointer } from '../pointer';

/** The operations of a JSON Patch (RFC 6902). */
export const PATCH_OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;
type OperationName = (typeof PATCH_OPERATIONS)[number];

export const MAX_OPERATIONS = 100;
export const MAX_POINTER_LENGTH = 1_000;

/** A place in a document. */
export interface Place {
  /** The JSON Pointer as it was sent. */
  pointer: string;
  segments: readonly string[];
}

export interface ReadyOperation {
  op: OperationName;
  path: Place;
  /** Only of `move` and `copy`. */
  from: Place | undefined;
  /** JSON text; only of `add`, `replace` and `test`. */
  value: string | undefined;
}

export type JsonPatch = readonly ReadyOperation[];

const TAKES_VALUE: ReadonlySet<string> = new Set<OperationName>(['add', 'replace', 'test']);
const TAKES_FROM: ReadonlySet<string> = new Set<OperationName>(['move', 'copy']);
const MEMBERS = ['op', 'path', 'from', 'value'];

/** Reads a patch from its JSON text, so that the numbers in its values stay as they were sent. */
export function parsePatch(document: JsonDocument): { patch: JsonPatch } | { errors: ErrorDetail[] } {
  const items = document.items();
  if (!items) return { errors: [invalid('', 'must be a JSON Patch: an array of operations')] };
  if (items.length > MAX_OPERATIONS)
    return { errors: [invalid('', `must not have more than ${MAX_OPERATIONS} operations`)] };
  const read = items.map((item, i) => operationOf(item, `/${i}`));
  const errors = read.flatMap((one) => ('errors' in one ? one.errors : []));
  if (errors.length > 0) return { errors };
  return { patch: read.flatMap((one) => ('errors' in one ? [] : [one])) };
}

function operationOf(item: JsonDocument, at: string): ReadyOperation | { errors: ErrorDetail[] } {
  const { value } = item;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { errors: [invalid(at, 'must be an object')] };
  const { op, path, from } = value as Record<string, unknown>;
  const errors = Object.keys(value)
    .filter((name) => !MEMBERS.includes(name))
    .map((name) => invalid(childPointer(at, name), `property ${name} should not exist`));
  const name = PATCH_OPERATIONS.find((known) => known === op);
  if (!name) return { errors: [...errors, invalid(`${at}/op`, `op must be one of: ${PATCH_OPERATIONS.join(', ')}`)] };
  const place = placeOf(path, `${at}/path`, errors);
  const origin = TAKES_FROM.has(name) ? placeOf(from, `${at}/from`, errors) : undefined;
  const text = TAKES_VALUE.has(name) ? item.at(['value'])?.text : undefined;
  if (TAKES_VALUE.has(name) && text === undefined) errors.push(invalid(`${at}/value`, `${name} needs a value`));
  if (errors.length > 0 || !place) return { errors };
  return { op: name, path: place, from: origin, value: text };
}

function placeOf(pointer: unknown, at: string, errors: ErrorDetail[]): Place | undefined {
  const isPointer = typeof pointer === 'string' && (pointer === '' || pointer.startsWith('/'));
  const parsed = isPointer && pointer.length <= MAX_POINTER_LENGTH ? parsePointer(pointer) : undefined;
  if (isPointer && parsed && 'segments' in parsed) return { pointer, segments: parsed.segments };
  errors.push(
    invalid(at, `must be a JSON Pointer of at most ${MAX_POINTER_LENGTH} characters, such as /payload/total`),
  );
  return undefined;
}

const invalid = (pointer: string, message: string): ErrorDetail => ({ pointer, code: 'invalid-request', message });
