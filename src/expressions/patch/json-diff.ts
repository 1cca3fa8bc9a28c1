import { childPointer } from '../../event/json/json-text';
import { jsonTree, type JsonNode } from './json-tree';

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
 * diff as they were written. Each text is read once, and what is equal is not entered. Arrays are compared by place, without
 * their equal beginning and end.
 */
export function diffOf(before: string, after: string): JsonDiff {
  const differences = new Differences();
  differences.compare(jsonTree(before), jsonTree(after), '');
  const truncated = differences.operations.length > MAX_DIFFERENCES;
  return { operations: `[${differences.operations.slice(0, MAX_DIFFERENCES).join(',')}]`, truncated };
}

class Differences {
  readonly operations: string[] = [];

  compare(before: JsonNode, after: JsonNode, pointer: string): void {
    if (before.identity === after.identity || this.operations.length > MAX_DIFFERENCES) return;
    const [old, now] = [plainMembers(before), plainMembers(after)];
    if (old && now) this.compareObjects(old, now, pointer);
    else if (before.items && after.items) this.compareArrays(before.items, after.items, pointer);
    else this.add('replace', pointer, after);
  }

  private compareObjects(old: Members, now: Members, pointer: string): void {
    for (const [name, value] of old) {
      const other = now.get(name);
      if (other === undefined) this.add('remove', childPointer(pointer, name));
      else this.compare(value, other, childPointer(pointer, name));
    }
    for (const [name, value] of now) if (!old.has(name)) this.add('add', childPointer(pointer, name), value);
  }

  private compareArrays(old: readonly JsonNode[], now: readonly JsonNode[], pointer: string): void {
    const most = Math.min(old.length, now.length);
    let start = 0;
    while (start < most && old[start]?.identity === now[start]?.identity) start += 1;
    let same = 0;
    while (same < most - start && old.at(-1 - same)?.identity === now.at(-1 - same)?.identity) same += 1;
    const [oldEnd, nowEnd] = [old.length - same, now.length - same];
    const both = Math.min(oldEnd, nowEnd);
    for (let i = start; i < both; i++) this.compare(old[i] as JsonNode, now[i] as JsonNode, `${pointer}/${i}`);
    for (let i = oldEnd - 1; i >= both; i--) this.add('remove', `${pointer}/${i}`);
    for (let i = both; i < nowEnd; i++) this.add('add', `${pointer}/${i}`, now[i]);
  }

  private add(op: 'add' | 'remove' | 'replace', path: string, value?: JsonNode): void {
    if (this.operations.length > MAX_DIFFERENCES) return;
    const head = `{"op":"${op}","path":${JSON.stringify(path)}`;
    this.operations.push(value === undefined ? `${head}}` : `${head},"value":${value.text}}`);
  }
}

type Members = ReadonlyMap<string, JsonNode>;

/** Undefined for an object with equal names, which is compared as a whole: a pointer cannot say which of them is meant. */
function plainMembers({ members }: JsonNode): Members | undefined {
  const byName = members && new Map(members);
  return byName?.size === members?.length ? byName : undefined;
}
