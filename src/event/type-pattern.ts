/** Whether one of the patterns takes this event type. A pattern is an exact type, or a prefix with `*` at its end. */
export function matchesType(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern));
}
