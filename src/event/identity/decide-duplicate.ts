import type { PreparedEvent, RecordRejection } from '../prepare-event';

/** What the database has committed about a key: the event that holds it, and a digest of that event's content. */
export interface KeyFact {
  /** Id of the event that holds the key. */
  id: string;
  /** The producer's id of that event. Equals `id` if none was sent. */
  eventId: string;
  fingerprint: string;
}

/** What the database adds to that, and the cache does not know. */
export interface KeyHolder extends KeyFact {
  /** True when a build wrote the key that did not tell events apart by their ids; see legacy-keys.ts. */
  legacy?: boolean;
  /** The `source` of the event. Null when retention has removed the event. */
  source?: string | null;
}

/** The key by which an earlier event was found. */
export type FoundBy = 'key' | 'own-id' | 'legacy' | 'rejection';

export type DuplicateDecision<Holder extends KeyHolder> =
  | { kind: 'accepted' }
  | { kind: 'duplicate'; of: Holder; by: FoundBy }
  | { kind: 'rejected'; rejection: RecordRejection }
  | { kind: 'other-holder' }
  | { kind: 'unknown' };

/**
 * Decides about a prepared event from the holders of the keys that it claims. `accepted`: the event itself holds its
 * key. `other-holder`: the key of its content belongs to a different event, so it needs another key. `unknown`: no
 * holder is known, so only an attempt to store the event can decide.
 * @param byRejection the event that an earlier resubmission of the same rejection has stored
 */
export function decideDuplicate<Holder extends KeyHolder>(
  prepared: PreparedEvent,
  byKey: Holder | undefined,
  byOwnId: Holder | undefined,
  byRejection?: Holder,
): DuplicateDecision<Holder> {
  if (byKey?.id === prepared.event.id) return { kind: 'accepted' };
  if (byRejection) return { kind: 'duplicate', of: byRejection, by: 'rejection' };
  if (byKey) {
    if (prepared.keyKind === 'own-id') return byId(prepared, byKey, 'key');
    const same = hasSameContent(prepared, byKey);
    if (prepared.keyKind === 'explicit')
      return same ? { kind: 'duplicate', of: byKey, by: 'key' } : conflict(KEY_REUSED, byKey);
    const counts = same && (prepared.keyKind === 'intent' || !hasOwnId(byKey));
    return counts ? { kind: 'duplicate', of: byKey, by: 'key' } : { kind: 'other-holder' };
  }
  return byOwnId ? byId(prepared, byOwnId, 'own-id') : { kind: 'unknown' };
}

export function byId<Holder extends KeyHolder>(
  prepared: PreparedEvent,
  holder: Holder,
  by: FoundBy,
): DuplicateDecision<Holder> {
  return hasSameContent(prepared, holder) ? { kind: 'duplicate', of: holder, by } : conflict(EVENT_ID_CONFLICT, holder);
}

/** An earlier build computed another fingerprint from some contents. */
function hasSameContent({ fingerprint, legacy }: PreparedEvent, holder: KeyHolder): boolean {
  return holder.fingerprint === fingerprint || (holder.legacy === true && holder.fingerprint === legacy?.fingerprint);
}

export function hasOwnId({ id, eventId }: KeyFact): boolean {
  return eventId !== id;
}

const KEY_REUSED = {
  code: 'idempotency-key-reused',
  message: 'This idempotency key belongs to an event with different content. Use a new key for a new event.',
} as const;
const EVENT_ID_CONFLICT = {
  code: 'event-id-conflict',
  message: 'This eventId belongs to an event with different content. Use a new eventId for a new event.',
} as const;

function conflict(
  why: typeof KEY_REUSED | typeof EVENT_ID_CONFLICT,
  { id }: KeyFact,
): { kind: 'rejected'; rejection: RecordRejection } {
  return { kind: 'rejected', rejection: { ...why, errors: [], conflictsWith: id } };
}
