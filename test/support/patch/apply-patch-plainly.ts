import { canonicalJson, quoted } from '../../../src/event/json/canonical-json';
import { parseRepeating } from '../../../src/event/json/exact-json';
import { isIndex, memberSlices, sliceItems, type MemberSlice, type Slice } from '../../../src/expressions/json-slices';
import type { PatchResult } from '../../../src/expressions/patch/apply-patch';
import type { JsonPatch, ReadyOperation } from '../../../src/expressions/patch/json-patch';
import { PatchFault } from '../../../src/expressions/patch/json-value';

/**
 * JSON Patch by splices of the whole text, one operation after the other: slow and plain. What applyPatch does is compared
 * with it.
 */
export function applyPatchPlainly(document: string, patch: JsonPatch, maxLength: number): PatchResult {
  let text = document.trim();
  for (const [i, operation] of patch.entries()) {
    try {
      text = applied(text, operation);
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
  return { text };
}

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

const canonical = (text: string): string => canonicalJson(parseRepeating(text));

/** Returns the text of the value at a place, or undefined if there is none. */
function valueAt(text: string, segments: readonly string[]): string | undefined {
  const slice = sliceOf(text, segments);
  return slice && text.slice(slice.start, slice.end);
}

/** Adds a member or an element, or replaces the member, as RFC 6902 says of `add`. */
function withAdded(text: string, segments: readonly string[], value: string): string {
  return changed(text, segments, value, (container, last) => {
    if (container.startsWith('[')) return insertedInto(container, last, value);
    const members = memberSlices(container);
    const member = oneOf(members, last);
    if (member) return spliced(container, member, value);
    const end = members.at(-1)?.end ?? 1;
    return spliced(container, { start: end, end }, `${members.length > 0 ? ',' : ''}${quoted(last)}:${value}`);
  });
}

function withReplaced(text: string, segments: readonly string[], value: string): string {
  return changed(text, segments, value, (container, last) => {
    const slice = childOf(container, last);
    if (!slice) throw new PatchFault('there is no value to replace');
    return spliced(container, slice, value);
  });
}

function withRemoved(text: string, segments: readonly string[]): string {
  if (segments.length === 0) throw new PatchFault('the whole document cannot be removed');
  return changed(text, segments, '', (container, last) => {
    const slices: (Slice & { nameStart?: number })[] = container.startsWith('[')
      ? sliceItems(container)
      : memberSlices(container);
    const slice = childOf(container, last);
    const index = slice ? slices.findIndex(({ start }) => start === slice.start) : -1;
    const found = slices[index];
    if (!found) throw new PatchFault('there is no value to remove');
    const before = slices[index - 1];
    const next = slices[index + 1];
    if (before) return spliced(container, { start: before.end, end: found.end }, '');
    const start = found.nameStart ?? found.start;
    return spliced(container, { start, end: next ? (next.nameStart ?? next.start) : found.end }, '');
  });
}

/** Applies `change` to the array or object that the last segment is in. Without segments, the value is the document. */
function changed(
  text: string,
  segments: readonly string[],
  value: string,
  change: (container: string, last: string) => string,
): string {
  const last = segments.at(-1);
  if (last === undefined) return value;
  const slice = sliceOf(text, segments.slice(0, -1));
  if (!slice) throw new PatchFault('there is no object or array to change');
  const container = text.slice(slice.start, slice.end);
  if (!isContainer(container)) throw new PatchFault('the value above is neither an object nor an array');
  return spliced(text, slice, change(container, last));
}

function sliceOf(text: string, segments: readonly string[]): Slice | undefined {
  let found: Slice = { start: 0, end: text.length };
  for (const segment of segments) {
    const child = childOf(text.slice(found.start, found.end), segment);
    if (!child) return undefined;
    found = { start: found.start + child.start, end: found.start + child.end };
  }
  return found;
}

function childOf(container: string, segment: string): Slice | undefined {
  if (container.startsWith('{')) return oneOf(memberSlices(container), segment);
  if (!container.startsWith('[') || !isIndex(segment)) return undefined;
  return sliceItems(container)[Number(segment)];
}

function insertedInto(array: string, index: string, value: string): string {
  const items = sliceItems(array);
  const at = index === '-' ? items.length : isIndex(index) ? Number(index) : -1;
  const item = items[at];
  if (item) return spliced(array, { start: item.start, end: item.start }, `${value},`);
  if (at !== items.length) throw new PatchFault(`the array has ${items.length} elements and no place for this index`);
  const end = items.at(-1)?.end ?? 1;
  return spliced(array, { start: end, end }, items.length > 0 ? `,${value}` : value);
}

/** @throws PatchFault if the object has several members with this name: it is not known which one is meant */
function oneOf(members: readonly MemberSlice[], name: string): MemberSlice | undefined {
  const named = members.filter((member) => member.name === name);
  if (named.length > 1) throw new PatchFault(`the object has the name ${quoted(name)} more than once`);
  return named[0];
}

const isContainer = (text: string): boolean => text.startsWith('{') || text.startsWith('[');

const spliced = (text: string, { start, end }: Slice, insert: string): string =>
  text.slice(0, start) + insert + text.slice(end);
