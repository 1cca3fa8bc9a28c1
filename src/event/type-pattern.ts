/** True when one of the patterns matches the event type. A pattern is an exact type, or a prefix followed by `*`. */
export function matchesType(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern));
}
