import { parseExact } from './exact-json';

/** One operation of a JSON Patch. */
export interface Change {
  /** `add`, `remove` or `replace` */
  op: string;
  /** JSON Pointer; empty for the whole value. */
  path: string;
  /** JSON text with all digits of its numbers; undefined for `remove`. */
  value: string | undefined;
}

/** Reads `diff` in a response. */
export function changesOf(responseText: string): Change[] {
  const root = parseExact(responseText);
  const diff = root.kind === 'object' ? root.members.find(({ name }) => name === 'diff')?.value : undefined;
  if (diff?.kind !== 'array') return [];
  return diff.items.flatMap((item) => {
    if (item.kind !== 'object') return [];
    const text = (wanted: string): string | undefined => {
      const value = item.members.find(({ name }) => name === wanted)?.value;
      return value && responseText.slice(value.start, value.end);
    };
    const word = (wanted: string): string => JSON.parse(text(wanted) ?? '""') as string;
    return [{ op: word('op'), path: word('path'), value: text('value') }];
  });
}
