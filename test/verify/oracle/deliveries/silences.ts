import type { Evidence, StoredEvent } from '../../evidence/evidence';
import type { FaultKind, TargetName } from '../../faults/schedule';
import { DESTINATIONS } from '../../load/operator/destinations';
import { entriesOf, type Entry, type EntryOf } from '../../run/journal';
import { FaultWindows, hitsRedis, type Span } from '../fault-windows';
import { violation, type Violation } from '../violation';

/** Addresses are remembered for this long. */
const REMEMBERED_MS = 5_000;
/** Without another fault, each destination gets deliveries every second. */
const LONGEST_GAP_MS = 6_000;
/** On a slow machine, connecting may take too long now and then. */
const FEW = { attempts: 10, share: 0.2 };

const others = DESTINATIONS.filter(({ silenced }) => !silenced);
const heard = new Set(others.map(({ name }) => name));
/** Those that nobody disables, and where no delivery waits for others of its key. */
const steady = others.filter(({ switched, onPoison }) => !switched && onPoison === undefined).map(({ name }) => name);

/** I10: while the name servers of some destinations are silent, the other destinations go on being delivered to. */
export function checkSilences({ journal, stored }: Pick<Evidence, 'journal' | 'stored'>): Violation[] {
  const faults = new FaultWindows(journal);
  const delivered = entriesOf(journal, 'delivered').filter(({ destination }) => heard.has(destination));
  const loadEndMs = entriesOf(journal, 'sent').at(-1)?.atMs ?? 0;
  const timesOf = (destination: string): number[] =>
    delivered.filter((one) => one.destination === destination).map(({ atMs }) => atMs);
  return faults.during('silence').flatMap(({ fromMs, toMs }) => {
    const silence = { fromMs, toMs: Math.min(toMs, loadEndMs) };
    const undisturbed = faults.undisturbed(silence, stopsDeliveries);
    return [
      ...undisturbed.flatMap((span) =>
        steady.flatMap((name) => checkGaps(name, timesOf(name), span, pausesOf(name, journal, span.toMs))),
      ),
      ...checkReached(stored, delivered, { ...silence, fromMs: fromMs + REMEMBERED_MS }),
    ];
  });
}

/** Anything may, but Redis, and what is under test here. */
const stopsDeliveries = (kind: FaultKind, target: TargetName): boolean =>
  !hitsRedis(kind, target) && target !== 'names' && target !== 'readers' && kind !== 'unmount';

/** When an operator had paused a destination. A pause that was not answered may begin at any time. */
function pausesOf(name: string, journal: readonly Entry[], untilMs: number): Span[] {
  const unsure = entriesOf(journal, 'operator').filter(
    ({ action, status }) => action === 'destination.pause' && status !== 200,
  );
  return [
    ...entriesOf(journal, 'paused')
      .filter(({ destination }) => destination === name)
      .map(({ surelyMs, toMs }) => ({ fromMs: surelyMs, toMs })),
    ...unsure.map(({ sentMs }) => ({ fromMs: sentMs, toMs: untilMs })),
  ];
}

function checkGaps(name: string, timesMs: readonly number[], span: Span, pauses: readonly Span[]): Violation[] {
  const times = timesMs.filter((atMs) => span.fromMs < atMs && atMs < span.toMs);
  return [...times, span.toMs].flatMap((toMs, i) => {
    const fromMs = times[i - 1] ?? span.fromMs;
    if (toMs - fromMs <= LONGEST_GAP_MS || pauses.some((pause) => pause.fromMs < toMs && fromMs < pause.toMs))
      return [];
    const text = `${name} got nothing for ${Math.round(toMs - fromMs)} ms while the name servers of others were silent`;
    return [violation('undelivered', text)];
  });
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
