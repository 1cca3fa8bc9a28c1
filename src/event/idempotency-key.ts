import { sha256 } from './content-hash';

export type DedupeStrategy = 'intent' | 'full';

/**
 * Returns a digest that identifies "the same event" within a tenant. Each part is prefixed with its length, so tenant
 * `a` with key `bc` differs from tenant `ab` with key `c`. The kind keeps the three key spaces apart.
 */
function keyDigest(kind: 'explicit' | 'derived' | 'event-id', parts: string[]): string {
  return sha256([kind, ...parts].map((part) => `${part.length}:${part}`).join(''));
}

/** Digest of a key that the caller sent in a header. */
export function explicitKey(tenantId: string, key: string): string {
  return keyDigest('explicit', [tenantId, key]);
}

/**
 * Digest for an event without a key in a header. The fingerprint covers the content; the strategy `full` adds the
 * producer's eventId, if it sent one.
 */
export function derivedKey(
  tenantId: string,
  fingerprint: string,
  eventId: string | undefined,
  strategy: DedupeStrategy,
): string {
  const withEventId = strategy === 'full' && eventId !== undefined ? [eventId] : [];
  return keyDigest('derived', [tenantId, fingerprint, ...withEventId]);
}

/** Digest of the producer's eventId, which must not be used for two different contents. */
export function eventIdKey(tenantId: string, eventId: string): string {
  return keyDigest('event-id', [tenantId, eventId]);
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** True for 1 to 255 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return IDEMPOTENCY_KEY.test(text);
}
