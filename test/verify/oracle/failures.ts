import type { Evidence, StoredAttempt, StoredEvent } from '../evidence/evidence';
import type { FaultKind } from '../faults/schedule';
import { MOST_ATTEMPTS } from '../landscape/settings';
import { DELIVERED_TENANTS, type Tenant } from '../load/tenants';
import { entriesOf, type EntryOf } from '../run/journal';
import { bringsAgain, FaultWindows } from './fault-windows';
import { violation, type Violation } from './violation';

/** Longest time from a fault to the record of the attempt that it made fail. */
const CALL_MS = 6_000;

/** Reasons that make an event a dead letter at once. */
const FINAL_REASONS = ['HTTP_3XX', 'HTTP_4XX', 'ADDRESS_REFUSED', 'INVALID_PAYLOAD'];

/** I9: an outage costs no attempt. Attempts fail only because of a destination or because of poisoned types. */
export function checkFailures({ journal, stored }: Evidence): Violation[] {
  const deliveries = Map.groupBy(entriesOf(journal, 'delivered'), ({ name }) => name);
  const faults = new FaultWindows(journal);
  return stored.flatMap((event) => {
    const failed = event.attempts.filter((attempt) => attempt.status !== 'SUCCESS' && !wasAborted(attempt, faults));
    if (failed.length === 0) return [];
    const texts = [
      ...failed.flatMap(endedRightly),
      ...(DELIVERED_TENANTS.includes(event.tenant as Tenant)
        ? unexplained(failed, deliveries.get(event.name) ?? [], faults)
        : failed.flatMap((attempt) => refusedByDatabase(event, attempt))),
    ];
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

function refusedByDatabase({ type }: StoredEvent, { attemptNumber, reasonCode, message }: StoredAttempt): string[] {
  if (type.startsWith('poison.') && message?.includes('poison')) return [];
  return [`attempt ${attemptNumber} failed: ${reasonCode} ${message ?? ''}`];
}

/** The message of an attempt that fails because an earlier attempt got a 3xx or 4xx. */
const REFUSED_EARLIER = 'refused in an earlier attempt';

/**
 * Each failed attempt belongs to a delivery that the receiver failed, to a call that a fault interrupted, or to a delivery
 * that was refused in an earlier attempt.
 */
function unexplained(failed: StoredAttempt[], deliveries: EntryOf<'delivered'>[], faults: FaultWindows): string[] {
  const refused = deliveries.filter(({ status }) => status === undefined || status >= 300).length;
  const withoutDelivery = failed.filter(
    ({ reasonCode, message, atMs }) =>
      reasonCode === 'TIMEOUT' ||
      (message ?? '').includes(REFUSED_EARLIER) ||
      faults.explain(atMs - CALL_MS, atMs, bringsAgain),
  ).length;
  if (failed.length <= refused + withoutDelivery) return [];
  const reasons = failed.map(({ reasonCode }) => reasonCode).join();
  return [`${failed.length} attempts failed (${reasons}), and the receiver failed ${refused} deliveries`];
}
