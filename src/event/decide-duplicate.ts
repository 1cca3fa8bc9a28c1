import type { PreparedEvent } from './prepare-event';

/** A committed fact about a key: which event took it, and with what content. */
export interface KeyFact {
  /** The original event's id. */
  id: string;
  fingerprint: string;
}

export type DuplicateDecision<Fact extends KeyFact> =
  | { kind: 'accepted' }
  | { kind: 'duplicate'; of: Fact }
  | { kind: 'rejected'; code: 'idempotency-key-reused' | 'event-id-conflict'; message: string }
  | { kind: 'unknown' };

/**
 * What a prepared event is, given who holds its two keys (contract, section 3). `unknown` means that nobody holds
 * them as far as these facts go, so the event has to be written to find out.
 */
export function decideDuplicate<Fact extends KeyFact>(
  prepared: PreparedEvent,
  byKey: Fact | undefined,
  byEventId: Fact | undefined,
): DuplicateDecision<Fact> {
  if (byKey?.id === prepared.event.id) return { kind: 'accepted' };
  if (byKey) {
    if (prepared.explicitKey && byKey.fingerprint !== prepared.fingerprint) {
      return {
        kind: 'rejected',
        code: 'idempotency-key-reused',
        message: 'This idempotency key was used before for an event with other content.',
      };
    }
    return { kind: 'duplicate', of: byKey };
  }
  if (byEventId) {
    if (byEventId.fingerprint !== prepared.fingerprint) {
      return {
        kind: 'rejected',
        code: 'event-id-conflict',
        message: 'This eventId was used before for an event with other content.',
      };
    }
    return { kind: 'duplicate', of: byEventId };
  }
  return { kind: 'unknown' };
}
