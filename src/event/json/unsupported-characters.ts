import { RepeatingObject } from './exact-json';
import { childPointer } from './json-text';

/**
 * Returns the JSON Pointer of the first string under `value` that contains U+0000 or a lone surrogate, or of the object
 * with such a name; undefined when there is none. PostgreSQL and strict UTF-8 readers reject these characters.
 */
export function findUnsupportedCharacter(value: unknown, pointer: string): string | undefined {
  return hasUnsupportedCharacter(value) ? locate(value, pointer) : undefined;
}

/** Makes no pointers, which take most of the time, since most values have no such character. */
function hasUnsupportedCharacter(value: unknown): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const current = open.pop();
    if (typeof current === 'string') {
      if (isUnsupported(current)) return true;
    } else if (Array.isArray(current)) {
      for (const child of current) open.push(child);
    } else if (current instanceof RepeatingObject) {
      for (const [name, child] of current.members) open.push(name, child);
    } else if (current !== null && typeof current === 'object') {
      for (const name of Object.keys(current)) open.push(name, (current as Record<string, unknown>)[name]);
    }
  }
  return false;
}

function locate(value: unknown, pointer: string): string | undefined {
  const open: [unknown, string][] = [[value, pointer]];
  for (let entry = open.pop(); entry; entry = open.pop()) {
    const [current, at] = entry;
    if (typeof current === 'string') {
      if (isUnsupported(current)) return at;
    } else if (current !== null && typeof current === 'object') {
      const members = current instanceof RepeatingObject ? current.members : Object.entries(current);
      for (const [name, child] of [...members].reverse()) {
        if (isUnsupported(name)) return at;
        open.push([child, childPointer(at, name)]);
      }
    }
  }
  return undefined;
}

function isUnsupported(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}
