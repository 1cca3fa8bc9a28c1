import type { Evidence, StoredAttempt, StoredEvent } from '../evidence/evidence';
import type { FaultKind } from '../faults/schedule';
import { MOST_ATTEMPTS } from '../landscape/settings';
import { FaultWindows } from './fault-windows';
import { violation, type Violation } from './violation';

/** Longest time from a fault to the record of the attempt that it made fail. */
const CALL_MS = 6_000;

/** Reasons that make an event a dead letter at once. */
const FINAL_REASONS = ['INVALID_PAYLOAD'];

/** I9: an outage costs no attempt. Attempts fail only because of poisoned types. */
export function checkFailures({ journal, stored }: Evidence): Violation[] {
  const faults = new FaultWindows(journal);
  return stored.flatMap((event) => {
    const failed = event.attempts.filter((attempt) => attempt.status !== 'SUCCESS' && !wasAborted(attempt, faults));
    if (failed.length === 0) return [];
    const texts = [...failed.flatMap(endedRightly), ...failed.flatMap((attempt) => refusedByDatabase(event, attempt))];
    return texts.map((text) => violation('failed by an outage', `${event.name}: ${text}`, event.name));
  });
}

/** What PostgreSQL says of statements that a fault made it abort. */
const ABORTED: readonly [message: string, by: FaultKind][] = [
  ['canceling statement due to user request', 'cancel'],
  ['deadlock detected', 'deadlock'],
];

/** The attempt failed because a fault made PostgreSQL abort the statements of its handler. */
function wasAborted({ message, atMs }: StoredAttempt, faults: FaultWindows): boolean {
  return ABORTED.some(
    ([text, by]) => message?.includes(text) && faults.explain(atMs - CALL_MS, atMs + CALL_MS, (kind) => kind === by),
  );
}

/** Retries end with the last attempt and not before. */
function endedRightly({ attemptNumber, status, reasonCode, exhausted }: StoredAttempt): string[] {
  const isLast = attemptNumber >= MOST_ATTEMPTS;
  if (status === 'RETRY' && isLast)
    return [`attempt ${attemptNumber} will be retried, although it was the last one allowed`];
  if (status === 'DLQ' && !exhausted && !FINAL_REASONS.includes(reasonCode)) {
    return [`attempt ${attemptNumber} made a dead letter, although ${reasonCode} is retryable`];
  }
  if (exhausted && attemptNumber !== MOST_ATTEMPTS) return [`exhausted at attempt ${attemptNumber}`];
  return [];
}

function refusedByDatabase(
  { type, erased }: StoredEvent,
  { attemptNumber, reasonCode, message }: StoredAttempt,
): string[] {
  if (erased) return []; // the message is erased as well
  if (type.startsWith('poison.') && message?.includes('poison')) return [];
  return [`attempt ${attemptNumber} failed: ${reasonCode} ${message ?? ''}`];
}
