import type { Evidence, StoredAttempt, StoredEvent } from '../evidence/evidence';
import { MOST_ATTEMPTS } from '../landscape/settings';
import { DELIVERED_TENANTS, type Tenant } from '../load/tenants';
import { entriesOf, type EntryOf } from '../run/journal';
import { bringsAgain, FaultWindows } from './fault-windows';
import { violation, type Violation } from './violation';

/** A call that a fault broke off has ended within its timeout, and its failure was written soon after. */
const CALL_MS = 6_000;

/** No later attempt can change these. */
const FINAL_REASONS = ['HTTP_3XX', 'HTTP_4XX', 'ADDRESS_REFUSED', 'INVALID_PAYLOAD'];

/** I9: no outage uses up an attempt. What fails by itself does: a destination, or what the database refuses to meter. */
export function checkFailures({ journal, stored }: Evidence): Violation[] {
  const deliveries = Map.groupBy(entriesOf(journal, 'delivered'), ({ name }) => name);
  const faults = new FaultWindows(journal);
  return stored.flatMap((event) => {
    const failed = event.attempts.filter((attempt) => attempt.status !== 'SUCCESS' && !wasCancelled(attempt, faults));
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

/** An operator of the database may cancel the work of a handler, which then has failed. */
function wasCancelled({ message, atMs }: StoredAttempt, faults: FaultWindows): boolean {
  const says = message?.includes('canceling statement due to user request') ?? false;
  return says && faults.explain(atMs - CALL_MS, atMs + CALL_MS, (kind) => kind === 'cancel');
}

/** The last attempt ends the retries, and no other. */
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

/** For every attempt that failed the receiver failed a delivery, or a fault broke the call off. */
function unexplained(failed: StoredAttempt[], deliveries: EntryOf<'delivered'>[], faults: FaultWindows): string[] {
  const refused = deliveries.filter(({ status }) => status === undefined || status >= 300).length;
  // Most likely those that a timeout or a broken connection ended are the ones that nobody failed on purpose.
  const brokenOff = failed.filter(
    ({ reasonCode, atMs }) => reasonCode === 'TIMEOUT' || faults.explain(atMs - CALL_MS, atMs, bringsAgain),
  ).length;
  if (failed.length <= refused + brokenOff) return [];
  const reasons = failed.map(({ reasonCode }) => reasonCode).join();
  return [`${failed.length} attempts failed (${reasons}), and the receiver failed ${refused} deliveries`];
}
