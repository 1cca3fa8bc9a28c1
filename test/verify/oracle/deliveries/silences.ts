import type { Evidence, StoredEvent } from '../../evidence/evidence';
import type { FaultKind, TargetName } from '../../faults/schedule';
import { DESTINATIONS } from '../../load/operator/destinations';
import { entriesOf, type EntryOf } from '../../run/journal';
import { FaultWindows, type Span } from '../fault-windows';
import { violation, type Violation } from '../violation';

/** Addresses are remembered for this long. */
const REMEMBERED_MS = 5_000;
/** Without another fault, there are several deliveries a second. */
const LONGEST_GAP_MS = 4_000;
/** On a slow machine, connecting may take too long now and then. */
const FEW = { attempts: 10, share: 0.2 };

const heard = new Set(DESTINATIONS.filter(({ silenced }) => !silenced).map(({ name }) => name));

/** I10: while the name servers of some destinations are silent, the other destinations go on being delivered to. */
export function checkSilences({ journal, stored }: Pick<Evidence, 'journal' | 'stored'>): Violation[] {
  const faults = new FaultWindows(journal);
  const delivered = entriesOf(journal, 'delivered').filter(({ destination }) => heard.has(destination));
  const loadEndMs = entriesOf(journal, 'sent').at(-1)?.atMs ?? 0;
  return faults.during('silence').flatMap(({ fromMs, toMs }) => {
    const silence = { fromMs, toMs: Math.min(toMs, loadEndMs) };
    const undisturbed = faults.undisturbed(silence, stopsDeliveries);
    return [
      ...undisturbed.flatMap((span) => checkGaps(delivered, span)),
      ...checkReached(stored, delivered, { ...silence, fromMs: fromMs + REMEMBERED_MS }),
    ];
  });
}

/** Anything may, but Redis, and what is under test here. */
const stopsDeliveries = (kind: FaultKind, target: TargetName): boolean =>
  target !== 'redis' && target !== 'names' && target !== 'readers' && kind !== 'unmount';

function checkGaps(delivered: readonly EntryOf<'delivered'>[], { fromMs, toMs }: Span): Violation[] {
  const times = delivered.map(({ atMs }) => atMs).filter((atMs) => fromMs < atMs && atMs < toMs);
  const gaps = [...times, toMs].map((atMs, i) => atMs - (times[i - 1] ?? fromMs));
  const longest = Math.max(...gaps);
  if (longest <= LONGEST_GAP_MS) return [];
  return [
    violation('undelivered', `nothing was delivered for ${longest} ms while the name servers of others were silent`),
  ];
}

/** Attempts that ended without a response, and that the receiver knows nothing of, waited for an address in vain. */
function checkReached(
  stored: readonly StoredEvent[],
  delivered: readonly EntryOf<'delivered'>[],
  span: Span,
): Violation[] {
  const requests = Map.groupBy(delivered, ({ destination, name }) => `${destination} ${name}`);
  const logs = stored.flatMap(({ name, deliveries }) => {
    const own = deliveries.filter(({ destination }) => heard.has(destination));
    return [...Map.groupBy(own, ({ destination }) => destination)].map(([destination, of]) => ({
      log: of.flatMap(({ log }) => log),
      reached: requests.get(`${destination} ${name}`)?.length ?? 0,
    }));
  });
  const isThen = ({ atMs }: { atMs: number }): boolean => span.fromMs <= atMs && atMs <= span.toMs;
  const attempts = logs.reduce((sum, { log }) => sum + log.filter(isThen).length, 0);
  const lost = logs.reduce((sum, { log, reached }) => {
    const unanswered = log.filter((attempt) => attempt.statusCode === null && isThen(attempt)).length;
    return sum + Math.max(0, Math.min(unanswered, log.length - reached));
  }, 0);
  if (lost < FEW.attempts || lost <= FEW.share * attempts) return [];
  const text = `${lost} of ${attempts} attempts did not reach the receiver while the name servers of others were silent`;
  return [violation('undelivered', text)];
}
