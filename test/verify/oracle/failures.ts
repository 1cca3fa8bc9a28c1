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
function endedRightly({ attemptNumber, status, reasonCode }: StoredAttempt): string[] {
  const isLast = attemptNumber >= MOST_ATTEMPTS;
  const exhausted = reasonCode === 'RETRY_EXHAUSTED';
  if (status === 'RETRY' && isLast) return [`attempt ${attemptNumber} is to be repeated, and was the last`];
  if (status === 'DLQ' && !exhausted && !FINAL_REASONS.includes(reasonCode)) {
    return [`attempt ${attemptNumber} was the last though ${reasonCode} may pass`];
  }
  if (exhausted && attemptNumber !== MOST_ATTEMPTS) return [`its attempts were used up with attempt ${attemptNumber}`];
  return [];
}

function refusedByDatabase({ type }: StoredEvent, { attemptNumber, reasonCode, message }: StoredAttempt): string[] {
  if (type.startsWith('poison.') && message?.includes('poison')) return [];
  return [`attempt ${attemptNumber} failed: ${reasonCode} ${message ?? ''}`];
}

/** Each failed attempt belongs to a delivery that the receiver failed, or to a call that a fault interrupted. */
function unexplained(failed: StoredAttempt[], deliveries: EntryOf<'delivered'>[], faults: FaultWindows): string[] {
  const refused = deliveries.filter(({ status }) => status === undefined || status >= 300).length;
  const brokenOff = failed.filter(
    ({ reasonCode, atMs }) => reasonCode === 'TIMEOUT' || faults.explain(atMs - CALL_MS, atMs, bringsAgain),
  ).length;
  if (failed.length <= refused + brokenOff) return [];
  const reasons = failed.map(({ reasonCode }) => reasonCode).join();
  return [`${failed.length} attempts failed (${reasons}), and the receiver failed ${refused} deliveries`];
}
