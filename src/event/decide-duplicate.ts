import type { PreparedEvent, RecordRejection } from './prepare-event';

/** What the database has committed about a key: the event that holds it, and a digest of that event's content. */
export interface KeyFact {
  /** Id of the event that holds the key. */
  id: string;
  fingerprint: string;
}

export type DuplicateDecision<Fact extends KeyFact> =
  | { kind: 'accepted' }
  | { kind: 'duplicate'; of: Fact }
  | { kind: 'rejected'; rejection: RecordRejection }
  | { kind: 'unknown' };

/**
 * Decides about a prepared event from the holders of its two keys. `accepted`: the event itself holds its key.
 * `unknown`: no holder is known, so only an attempt to store the event can decide.
 */
export function decideDuplicate<Fact extends KeyFact>(
  prepared: PreparedEvent,
  byKey: Fact | undefined,
  byEventId: Fact | undefined,
): DuplicateDecision<Fact> {
  if (byKey?.id === prepared.event.id) return { kind: 'accepted' };
  if (byKey) {
    if (prepared.explicitKey && byKey.fingerprint !== prepared.fingerprint) {
      return rejected(
        'idempotency-key-reused',
        'This idempotency key belongs to an event with different content. Use a new key for a new event.',
      );
    }
    return { kind: 'duplicate', of: byKey };
  }
  if (byEventId) {
    if (byEventId.fingerprint !== prepared.fingerprint) {
      return rejected(
        'event-id-conflict',
        'This eventId belongs to an event with different content. Use a new eventId for a new event.',
      );
    }
    return { kind: 'duplicate', of: byEventId };
  }
  return { kind: 'unknown' };
}

function rejected(code: RecordRejection['code'], message: string): { kind: 'rejected'; rejection: RecordRejection } {
  return { kind: 'rejected', rejection: { code, message, errors: [] } };
}
