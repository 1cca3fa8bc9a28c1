import { canonicalJson } from '../../event/json/canonical-json';
import { parseRepeating } from '../../event/json/exact-json';
import { childPointer } from '../../event/json/json-text';
import { memberSlices, sliceItems } from '../json-slices';

/** A longer diff ends with this many operations: nobody reads more. */
export const MAX_DIFFERENCES = 500;

export interface JsonDiff {
  /** RFC 6902 operations that lead from the first document to the second, as JSON text. */
  operations: string;
  /** True if there are more differences than MAX_DIFFERENCES. */
  truncated: boolean;
}

/**
 * Compares two JSON texts of bounded depth. Values are compared as the hash of an event compares them, and appear in the
 * diff as they were written. Arrays are compared without their equal beginning and end, so the time is linear.
 */
export function diffOf(before: string, after: string): JsonDiff {
  const differences = new Differences();
  differences.compare(before.trim(), after.trim(), '');
  const truncated = differences.operations.length > MAX_DIFFERENCES;
  return { operations: `[${differences.operations.slice(0, MAX_DIFFERENCES).join(',')}]`, truncated };
}

class Differences {
  readonly operations: string[] = [];

  compare(before: string, after: string, pointer: string): void {
    if (before === after || this.operations.length > MAX_DIFFERENCES) return;
    if (canonicalOf(before) === canonicalOf(after)) return;
    if (isPlainObject(before) && isPlainObject(after)) this.compareObjects(before, after, pointer);
    else if (before.startsWith('[') && after.startsWith('[')) this.compareArrays(before, after, pointer);
    else this.add('replace', pointer, after);
  }

  private compareObjects(before: string, after: string, pointer: string): void {
    const old = membersOf(before);
    const now = membersOf(after);
    for (const [name, value] of old) {
      const other = now.get(name);
      if (other === undefined) this.add('remove', childPointer(pointer, name));
      else this.compare(value, other, childPointer(pointer, name));
    }
    for (const [name, value] of now) if (!old.has(name)) this.add('add', childPointer(pointer, name), value);
  }

  private compareArrays(before: string, after: string, pointer: string): void {
    const old = itemsOf(before);
    const now = itemsOf(after);
    const [oldTexts, nowTexts] = [old.map(canonicalOf), now.map(canonicalOf)];
    let start = 0;
    while (start < old.length && start < now.length && oldTexts[start] === nowTexts[start]) start += 1;
    let same = 0;
    const most = Math.min(old.length, now.length) - start;
    while (same < most && oldTexts.at(-1 - same) === nowTexts.at(-1 - same)) same += 1;
    const [oldEnd, nowEnd] = [old.length - same, now.length - same];
    const both = Math.min(oldEnd, nowEnd);
    for (let i = start; i < both; i++) this.compare(old[i] as string, now[i] as string, `${pointer}/${i}`);
    for (let i = oldEnd - 1; i >= both; i--) this.add('remove', `${pointer}/${i}`);
    for (let i = both; i < nowEnd; i++) this.add('add', `${pointer}/${i}`, now[i]);
  }

  private add(op: 'add' | 'remove' | 'replace', path: string, value?: string): void {
    if (this.operations.length > MAX_DIFFERENCES) return;
    const head = `{"op":"${op}","path":${JSON.stringify(path)}`;
    this.operations.push(value === undefined ? `${head}}` : `${head},"value":${value}}`);
  }
}

const canonicalOf = (text: string): string => canonicalJson(parseRepeating(text));

/** False for an object with equal names, which is compared as a whole: a pointer cannot say which of them is meant. */
function isPlainObject(text: string): boolean {
  if (!text.startsWith('{')) return false;
  const members = memberSlices(text);
  return new Set(members.map(({ name }) => name)).size === members.length;
}

const membersOf = (text: string): Map<string, string> =>
  new Map(memberSlices(text).map(({ name, start, end }) => [name, text.slice(start, end)]));

const itemsOf = (text: string): string[] => sliceItems(text).map(({ start, end }) => text.slice(start, end));
