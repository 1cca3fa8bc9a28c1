const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** True for a valid W3C trace context. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}
