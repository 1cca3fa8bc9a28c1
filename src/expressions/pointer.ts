/** Returns the segments of a JSON Pointer (RFC 6901), or the position of the `~` that is not followed by 0 or 1. */
export function parsePointer(pointer: string): { segments: string[] } | { badEscapeAt: number } {
  const bad = /~(?![01])/.exec(pointer);
  if (bad) return { badEscapeAt: bad.index };
  const segments = pointer.split('/').slice(1);
  return { segments: segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~')) };
}
