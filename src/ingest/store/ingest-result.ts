import type { CommittedEvent } from '../../redis/idempotency-cache';
import type { PreparedEvent, RecordRejection } from '../../event/prepare-event';

/** What became of one prepared event. `committed` and `of` are facts in the database by the time this exists. */
export type IngestResult =
  | { kind: 'accepted'; committed: CommittedEvent }
  | { kind: 'duplicate'; of: CommittedEvent; layer: 'cache' | 'database' }
  | { kind: 'rejected'; rejection: RecordRejection };

/** The facts of an event that this process has just committed. */
export function committedFacts({ event, fingerprint }: PreparedEvent): CommittedEvent {
  const { id, eventId, receivedAt, correlationId, hash } = event;
  return { id, fingerprint, eventId, receivedAt, correlationId, hash };
}
