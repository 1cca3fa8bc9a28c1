import { isJson, scanJsonObject } from '../../event/json/json-text';
import { MAX_DEPTH } from '../../event/prepare-event';
import { EditedJson } from './edited-json';
import type { JsonPatch, ReadyOperation } from './json-patch';
import { JsonValue, PatchFault } from './json-value';
import { isSameJson } from './same-json';

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
  const text = document?.trim();
  if (!replacesAll(patch[0]) && (text === undefined || !isJson(text))) {
    return {
      error: {
        operation: null,
        message: 'What was sent is not valid JSON. Only a whole replacement, with the path "", can be applied.',
      },
    };
  }
  const edited = new EditedJson(text ?? '');
  for (const [i, operation] of patch.entries()) {
    try {
      apply(edited, operation);
    } catch (error) {
      if (!(error instanceof PatchFault)) throw error;
      const { op, path } = operation;
      return {
        error: { operation: i, message: `${op} ${path.pointer === '' ? '""' : path.pointer}: ${error.message}` },
      };
    }
    if (edited.length > maxLength) {
      return { error: { operation: i, message: `The document would have more than ${maxLength} characters.` } };
    }
  }
  return { text: edited.text };
}

const replacesAll = (operation: ReadyOperation | undefined): boolean =>
  operation?.path.segments.length === 0 && (operation.op === 'add' || operation.op === 'replace');

function apply(document: EditedJson, { op, path, from, value = '' }: ReadyOperation): void {
  const { segments } = path;
  if (op === 'add') return document.add(segments, JsonValue.of(value));
  if (op === 'replace') return document.replace(segments, JsonValue.of(value));
  if (op === 'remove') return document.remove(segments);
  if (op === 'test') return test(document, segments, value);
  const origin = from?.segments ?? [];
  const found = document.at(origin);
  if (found === undefined) throw new PatchFault(`there is no value at ${from?.pointer}`);
  if (op === 'copy') return document.add(segments, found.copy());
  if (isSame(origin, segments)) return;
  if (isSame(origin, segments.slice(0, origin.length))) throw new PatchFault('a value cannot be moved into itself');
  document.remove(origin);
  document.add(segments, found);
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((segment, i) => segment === b[i]);

function test(document: EditedJson, segments: readonly string[], value: string): void {
  const found = document.at(segments);
  if (found === undefined) throw new PatchFault('there is no value to test');
  if (scanJsonObject(`{"":${value}}`).depth > MAX_DEPTH + 1)
    throw new PatchFault(`a value with more than ${MAX_DEPTH} levels cannot be tested`);
  if (!isSameJson(found, JsonValue.of(value))) throw new PatchFault('the value is another one');
}
