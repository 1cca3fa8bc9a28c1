import { byId, hasOwnId, type DuplicateDecision, type KeyHolder } from './decide-duplicate';
import type { PreparedEvent } from '../prepare-event';

/** Decides from the holders of legacy keys. Returns `unknown` when none of them counts. */
export function decideByLegacyKeys<Holder extends KeyHolder>(
  prepared: PreparedEvent,
  byContent: Holder | undefined,
  byEventId: Holder | undefined,
): DuplicateDecision<Holder> {
  const { event, keyKind } = prepared;
  if (byEventId?.legacy && byEventId.source === event.source) return byId(prepared, byEventId, 'legacy');
  if (!byContent?.legacy) return { kind: 'unknown' };
  const isKnown = byContent.source !== null;
  const counts =
    keyKind === 'intent' ||
    byContent.id === byEventId?.id || // the same id and the same content
    (isKnown && (!hasOwnId(byContent) || byContent.eventId === event.eventId));
  return counts ? { kind: 'duplicate', of: byContent, by: 'legacy' } : { kind: 'unknown' };
}
