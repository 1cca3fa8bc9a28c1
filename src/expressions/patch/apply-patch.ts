import { canonicalJson } from '../../event/json/canonical-json';
import { parseRepeating } from '../../event/json/exact-json';
import { isJson, scanJsonObject } from '../../event/json/json-text';
import { MAX_DEPTH } from '../../event/prepare-event';
import { PatchFault, valueAt, withAdded, withRemoved, withReplaced } from './edit-json';
import type { JsonPatch, ReadyOperation } from './json-patch';

export type PatchResult = { text: string } | { error: PatchError };

export interface PatchError {
  /** Index of the operation; null if the document is no JSON. */
  operation: number | null;
  message: string;
}

/**
 * Applies a JSON Patch (RFC 6902) to JSON text: all of it, or nothing. What the patch does not name stays as it was
 * written. A document that is no JSON can only be replaced as a whole, by the first operation.
 * @param maxLength characters that the document may have after each operation: `copy` can double it each time
 */
export function applyPatch(document: string | undefined, patch: JsonPatch, maxLength: number): PatchResult {
  let text = document?.trim();
  if (!replacesAll(patch[0]) && (text === undefined || !isJson(text))) {
    return {
      error: {
        operation: null,
        message: 'What was sent is not valid JSON. Only a whole replacement, with the path "", can be applied.',
      },
    };
  }
  for (const [i, operation] of patch.entries()) {
    try {
      text = applied(text ?? '', operation);
    } catch (error) {
      if (!(error instanceof PatchFault)) throw error;
      const { op, path } = operation;
      return {
        error: { operation: i, message: `${op} ${path.pointer === '' ? '""' : path.pointer}: ${error.message}` },
      };
    }
    if (text.length > maxLength) {
      return { error: { operation: i, message: `The document would have more than ${maxLength} characters.` } };
    }
  }
  return { text: text ?? '' };
}

const replacesAll = (operation: ReadyOperation | undefined): boolean =>
  operation?.path.segments.length === 0 && (operation.op === 'add' || operation.op === 'replace');

function applied(text: string, { op, path, from, value = '' }: ReadyOperation): string {
  const { segments } = path;
  if (op === 'add') return withAdded(text, segments, value);
  if (op === 'replace') return withReplaced(text, segments, value);
  if (op === 'remove') return withRemoved(text, segments);
  if (op === 'test') return tested(text, segments, value);
  const origin = from?.segments ?? [];
  const moved = valueAt(text, origin);
  if (moved === undefined) throw new PatchFault(`there is no value at ${from?.pointer}`);
  if (op === 'copy') return withAdded(text, segments, moved);
  if (isSame(origin, segments)) return text;
  if (isSame(origin, segments.slice(0, origin.length))) throw new PatchFault('a value cannot be moved into itself');
  return withAdded(withRemoved(text, origin), segments, moved);
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((segment, i) => segment === b[i]);

function tested(text: string, segments: readonly string[], value: string): string {
  const found = valueAt(text, segments);
  if (found === undefined) throw new PatchFault('there is no value to test');
  if (canonical(found) !== canonical(value)) throw new PatchFault('the value is another one');
  return text;
}

/** @throws PatchFault for a text that is too deep for a recursive comparison */
function canonical(text: string): string {
  if (scanJsonObject(`{"":${text}}`).depth > MAX_DEPTH + 1)
    throw new PatchFault(`a value with more than ${MAX_DEPTH} levels cannot be tested`);
  return canonicalJson(parseRepeating(text));
}
