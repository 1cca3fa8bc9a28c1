import type { JsonValue } from './json-value';

/** Compares as the hash of an event does. Reads no more of `a` than of `b`. Recursive: callers must bound the depth of `b`. */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  const [inA, inB] = [a.container, b.container];
  if (!inA || !inB) return !inA && !inB && a.canonical === b.canonical;
  if (inA.isArray !== inB.isArray || inA.size !== inB.size) return false;
  if (inA.isArray) return isSameList(inA.items(), inB.items());
  for (const name of inB.names()) if (!isSameList(inA.all(name), inB.all(name))) return false;
  return true;
}

const isSameList = (a: readonly JsonValue[], b: readonly JsonValue[]): boolean =>
  a.length === b.length && a.every((value, i) => isSameJson(value, b[i] as JsonValue));
