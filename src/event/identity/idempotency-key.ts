import { sha256 } from './content-hash';

export type DedupeStrategy = 'intent' | 'full';

/** The settings that say what identifies an event without an idempotency key. */
export interface KeyRules {
  DEDUPE_STRATEGY: DedupeStrategy;
  DEDUPE_INCLUDE_EVENT_ID: boolean;
}

/**
 * What the first key of an event stands for: the caller's idempotency key, the producer's own id, or the content.
 * `intent` is the content as well, but then the ids do not matter (DEDUPE_INCLUDE_EVENT_ID=false).
 */
export type KeyKind = 'explicit' | 'own-id' | 'content' | 'intent';

/** The keys that an event claims. All digests are SHA-256 in hex. */
export interface ClaimedKeys {
  keyKind: KeyKind;
  keyDigest: string;
  /** Digest of the producer's own id where another key comes first. The id is then checked as well. */
  eventIdDigest: string | undefined;
  /**
   * Digest of the rejection that the event is made from (rejectionKey). If another event holds it, the rejection has
   * become that event, whatever its content is now.
   */
  rejectionDigest?: string | undefined;
}

/** What the keys of an event are made of. */
export interface KeySource {
  tenantId: string;
  idempotencyKey: string | undefined;
  /** Digest of the producer's own id, if it sent one. */
  ownId: string | undefined;
  eventId: string | undefined;
  fingerprint: string;
  /** The source that the event came through. Its idempotency keys are its own. */
  sourceId?: string | undefined;
}

/** Chooses the keys of an event: an idempotency key before the producer's own id, and that before the content. */
export function claimedKeys(of: KeySource, rules: KeyRules): ClaimedKeys {
  const { tenantId, idempotencyKey, ownId, eventId, fingerprint, sourceId } = of;
  if (idempotencyKey !== undefined) {
    const keyDigest =
      sourceId === undefined ? explicitKey(tenantId, idempotencyKey) : sourceKey(tenantId, sourceId, idempotencyKey);
    return { keyKind: 'explicit', keyDigest, eventIdDigest: ownId };
  }
  if (!rules.DEDUPE_INCLUDE_EVENT_ID) {
    const keyDigest = derivedKey(tenantId, fingerprint, eventId, rules.DEDUPE_STRATEGY);
    return { keyKind: 'intent', keyDigest, eventIdDigest: ownId };
  }
  if (ownId !== undefined) return { keyKind: 'own-id', keyDigest: ownId, eventIdDigest: undefined };
  return {
    keyKind: 'content',
    keyDigest: derivedKey(tenantId, fingerprint, undefined, rules.DEDUPE_STRATEGY),
    eventIdDigest: undefined,
  };
}

/**
 * Returns a digest that identifies "the same event" within a tenant. Each part is prefixed with its length, so tenant
 * `a` with key `bc` differs from tenant `ab` with key `c`. The kind keeps the key spaces apart.
 */
function keyDigest(
  kind: KeyKind | 'derived' | 'event-id' | 'cloud-event' | 'rejection' | OfSource,
  parts: string[],
): string {
  let text = `${kind.length}:${kind}`;
  for (const part of parts) text += `${part.length}:${part}`;
  return sha256(text);
}

/** Digest of a key that the caller sent in a header. */
export function explicitKey(tenantId: string, key: string): string {
  return keyDigest('explicit', [tenantId, key]);
}

/** Digest of the content. The strategy `full` adds the producer's eventId, if it sent one. */
export function derivedKey(
  tenantId: string,
  fingerprint: string,
  eventId: string | undefined,
  strategy: DedupeStrategy,
): string {
  const withEventId = strategy === 'full' && eventId !== undefined ? [eventId] : [];
  return keyDigest('derived', [tenantId, fingerprint, ...withEventId]);
}

/** Digest of the content for an event whose derived key belongs to a different event; see decideDuplicate. */
export function secondContentKey(tenantId: string, fingerprint: string, keyKind: KeyKind): string {
  return keyDigest(keyKind, [tenantId, fingerprint]);
}

/** Digest of the eventId of an envelope. */
export function eventIdKey(tenantId: string, eventId: string): string {
  return keyDigest('event-id', [tenantId, eventId]);
}

/** Digest of the id of a CloudEvent, which is unique only together with its source. */
export function cloudEventKey(tenantId: string, source: string, id: string): string {
  return keyDigest('cloud-event', [tenantId, source, id]);
}

/**
 * Digest of a rejection that an operator resubmits, for one of its events.
 * @param record number of the event among those of the rejection, from 1
 */
export function rejectionKey(tenantId: string, rejectionId: string, record: number): string {
  return keyDigest('rejection', [tenantId, rejectionId, String(record)]);
}

type OfSource = 'source-event' | 'source-key';

/** Digest of the id that a source's mapping finds. Ids are unique only within a source. */
export function sourceEventKey(tenantId: string, sourceId: string, id: string): string {
  return keyDigest('source-event', [tenantId, sourceId, id]);
}

/** Digest of the idempotency key that a source's mapping finds. */
export function sourceKey(tenantId: string, sourceId: string, key: string): string {
  return keyDigest('source-key', [tenantId, sourceId, key]);
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** True for 1 to 255 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return IDEMPOTENCY_KEY.test(text);
}
