import type { DeadLetterOfEvent, HandlerAttempt, ScheduledRetry } from './handler-history.queries';
import { bySystem, cause, sentence, type TimelineEntry } from './timeline-entry';

export function attemptEntry({ at, ...attempt }: HandlerAttempt): TimelineEntry {
  const { attemptNumber, durationMs, status, reasonCode, errorMessage } = attempt;
  const text =
    status === 'SUCCESS'
      ? `Attempt ${attemptNumber} of the handlers succeeded in ${durationMs} ms.`
      : sentence(`Attempt ${attemptNumber} of the handlers failed with ${cause(reasonCode, errorMessage)}`);
  return bySystem(at, 'attempt', text, attempt);
}

/** A postponement schedules a retry without an attempt, and so does the order of a key. */
export function retryEntry({ at, dueAt, dispatchNo, attempts, lastError }: ScheduledRetry): TimelineEntry {
  const attemptNumber = attempts + 1;
  const due = dueAt === null ? 'waits for an earlier event of its key' : `is due at ${dueAt}`;
  const text = `Attempt ${attemptNumber} of the handlers ${due}.`;
  return bySystem(at, 'retry-scheduled', text, { attemptNumber, dispatchNo, dueAt, lastError });
}

export function deadLetterEntry({ at, ...letter }: DeadLetterOfEvent): TimelineEntry {
  const { reasonCode, errorMessage, attempts, exhausted } = letter;
  const why = exhausted ? 'no attempt was left' : 'the failure is not retried';
  const text = sentence(
    `The event became a dead letter, because ${why}. The cause is ${cause(reasonCode, errorMessage)}`,
  );
  return bySystem(at, 'dead-letter', text, { reasonCode, attempts, exhausted });
}
