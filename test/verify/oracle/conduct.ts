import type { Evidence } from '../evidence/evidence';
import { GRACE_MS } from '../landscape/settings';
import { entriesOf } from '../run/journal';
import { requestsIn } from './answers';
import { FaultWindows, hitsDatabase, hitsServer } from './fault-windows';
import { violation, type Violation } from './violation';

const MARGIN_MS = 1_000;

/** I14, I15: no unexpected responses, no crashes, and a clean end after SIGTERM. */
export function checkConduct({ journal }: Evidence): Violation[] {
  const requests = requestsIn(journal);
  return [
    ...entriesOf(journal, 'strange').map(({ request, status, text }) => {
      const sent = requests.get(request);
      return violation(
        'strange answer',
        `request ${request} (${sent?.what}): ${status} ${text}`,
        ...(sent?.names ?? []),
      );
    }),
    ...entriesOf(journal, 'given up').map(({ what, names }) =>
      violation('strange answer', `a client got no response (${what}) though everything was running`, ...names),
    ),
    ...entriesOf(journal, 'crashed').map(({ process, output }) => violation('crashed', `${process}: ${output}`)),
    ...checkEnds(journal),
    ...checkLeases(journal),
  ];
}

/** Exit code 0 within the grace period, unless a server was down at that time. */
function checkEnds(journal: Evidence['journal']): Violation[] {
  const faults = new FaultWindows(journal);
  return entriesOf(journal, 'ended').flatMap(({ process, code, tookMs, atMs }) => {
    if (code === 0 && tookMs <= GRACE_MS + MARGIN_MS) return [];
    if (faults.explain(atMs - tookMs - MARGIN_MS, atMs, hitsServer)) return [];
    return [violation('shutdown', `${process} ended with ${code} ${tookMs} ms after SIGTERM`)];
  });
}

/** A publisher leaves no leases behind after SIGTERM. Kills and database outages do leave some. */
function checkLeases(journal: Evidence['journal']): Violation[] {
  const faults = new FaultWindows(journal);
  return entriesOf(journal, 'leases left').flatMap(({ acquiredMs, atMs }) => {
    const unexplained = acquiredMs.filter(
      (sinceMs) =>
        !faults.explain(
          sinceMs - MARGIN_MS,
          atMs,
          (kind, target) => hitsDatabase(kind, target) || (kind === 'kill' && target.startsWith('publisher')),
        ),
    );
    const text = `${unexplained.length} outbox entries are still leased after all publishers ended`;
    return unexplained.length > 0 ? [violation('shutdown', text)] : [];
  });
}
