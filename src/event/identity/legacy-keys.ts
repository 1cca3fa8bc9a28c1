import { derivedKey, eventIdKey, type ClaimedKeys, type KeyRules, type KeySource } from './idempotency-key';

/**
 * Keys that an earlier build may have stored for the same event. That build identified an event without an idempotency
 * key by its content, whatever its id, and a CloudEvent by its id, whatever its source. A key of that kind counts only
 * if the event that holds it may be the same by today's rules. `docs/sending-events.md` describes what callers see.
 */
export interface LegacyKeys {
  /** Digest of the content as that build computed it. */
  fingerprint: string;
  /** Keys to look up before the event is stored. */
  derived: string | undefined;
  eventId: string | undefined;
  /** A key to claim, so that a process of the earlier build that still runs recognises the event. */
  handover: string | undefined;
}

/** @param fingerprint the fingerprint that the earlier build computed */
export function legacyKeys(
  { tenantId, eventId, ownId }: KeySource,
  { keyKind, keyDigest }: ClaimedKeys,
  fingerprint: string,
  isCloudEvent: boolean,
  rules: KeyRules,
): LegacyKeys | undefined {
  if (ownId === undefined || eventId === undefined) return undefined; // its derived key is the same in both builds
  const content = derivedKey(tenantId, fingerprint, eventId, rules.DEDUPE_STRATEGY);
  const derived = keyKind === 'explicit' || content === keyDigest ? undefined : content;
  return {
    fingerprint,
    derived,
    eventId: isCloudEvent ? eventIdKey(tenantId, eventId) : undefined, // that of an envelope has not changed
    handover: isCloudEvent ? derived : undefined,
  };
}
