import { sha256 } from './content-hash';

export type DedupeStrategy = 'intent' | 'full';

/**
 * Digests that name "the same event" within a tenant. Every part is preceded by its length, so that tenant `a` with
 * key `bc` is not tenant `ab` with key `c`, and the kind keeps the three name spaces apart.
 */
function keyDigest(kind: 'explicit' | 'derived' | 'event-id', parts: string[]): string {
  return sha256([kind, ...parts].map((part) => `${part.length}:${part}`).join(''));
}

/** The key that the caller sent, by header. */
export function explicitKey(tenantId: string, key: string): string {
  return keyDigest('explicit', [tenantId, key]);
}

/** The key for an event without a header. `fingerprint` covers the content; `full` adds the eventId that was sent. */
export function derivedKey(
  tenantId: string,
  fingerprint: string,
  eventId: string | undefined,
  strategy: DedupeStrategy,
): string {
  const withEventId = strategy === 'full' && eventId !== undefined ? [eventId] : [];
  return keyDigest('derived', [tenantId, fingerprint, ...withEventId]);
}

/** The producer's own eventId, which must not name two contents. */
export function eventIdKey(tenantId: string, eventId: string): string {
  return keyDigest('event-id', [tenantId, eventId]);
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** True for 1 to 255 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return IDEMPOTENCY_KEY.test(text);
}
