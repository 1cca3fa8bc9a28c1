import type { PreparedEvent, RecordRejection } from './prepare-event';

/** A committed fact about a key: which event took it, and with what content. */
export interface KeyFact {
  /** The original event's id. */
  id: string;
  fingerprint: string;
}

export type DuplicateDecision<Fact extends KeyFact> =
  | { kind: 'accepted' }
  | { kind: 'duplicate'; of: Fact }
  | { kind: 'rejected'; rejection: RecordRejection }
  | { kind: 'unknown' };

/**
 * The decision about a prepared event, given the holders of its two keys. `accepted`: the event itself holds its key.
 * `unknown`: nobody is known to hold the keys, so only writing the event can tell.
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
        'This idempotency key was used before for an event with other content.',
      );
    }
    return { kind: 'duplicate', of: byKey };
  }
  if (byEventId) {
    if (byEventId.fingerprint !== prepared.fingerprint) {
      return rejected('event-id-conflict', 'This eventId was used before for an event with other content.');
    }
    return { kind: 'duplicate', of: byEventId };
  }
  return { kind: 'unknown' };
}

function rejected(code: RecordRejection['code'], message: string): { kind: 'rejected'; rejection: RecordRejection } {
  return { kind: 'rejected', rejection: { code, message, errors: [] } };
}
