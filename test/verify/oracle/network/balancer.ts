import type { Evidence } from '../../evidence/evidence';
import type { FaultKind, TargetName } from '../../faults/schedule';
import { entriesOf } from '../../run/journal';
import { requestsIn } from '../answers';
import { FaultWindows, hitsDatabase } from '../fault-windows';
import { violation, type Violation } from '../violation';

/** I15: an api that got SIGTERM answers what a balancer sends to it meanwhile. An outage of PostgreSQL may hold it up. */
export function checkBalancer({ journal }: Pick<Evidence, 'journal'>): Violation[] {
  const faults = new FaultWindows(journal);
  const sent = requestsIn(journal);
  const unanswered = new Map(entriesOf(journal, 'unanswered').map((one) => [one.request, one]));
  return entriesOf(journal, 'left').flatMap(({ process, signalledMs, requests }) =>
    requests.flatMap((request) => {
      const one = unanswered.get(request);
      const { atMs: sentMs = 0, names = [] } = sent.get(request) ?? {};
      if (!one || faults.explain(sentMs, one.atMs, stopsAnswers(process))) return [];
      const when = `${sentMs - signalledMs} ms after the SIGTERM to ${process}`;
      return [violation('strange answer', `request ${request}, ${when}, got no response: ${one.reason}`, ...names)];
    }),
  );
}

/** PostgreSQL goes on responding to an api in these: with an error, which the api passes on as a response. */
const PASSED_ON: readonly FaultKind[] = ['readonly', 'cancel'];

/** What else may be done to this process. */
const stopsAnswers =
  (process: string) =>
  (kind: FaultKind, target: TargetName): boolean =>
    (hitsDatabase(kind, target) && !PASSED_ON.includes(kind)) ||
    (target === process && kind !== 'leave' && kind !== 'unmount');
