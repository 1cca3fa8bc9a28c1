import type { Evidence } from '../evidence/evidence';
import type { FaultKind, TargetName } from '../faults/schedule';
import { STALL_MS } from '../landscape/settings';
import { entriesOf, type Entry, type EntryOf } from '../run/journal';
import { FaultWindows, hitsDatabase, hitsServer } from './fault-windows';
import { sumOf } from './metrics';
import { violation, type Violation } from './violation';

type SlowReader = EntryOf<'slow reader'>;

/**
 * I14: a client that reads its results late or slowly gets all of them, also where none of them can be kept on disk. One
 * that reads nothing loses its connection, and not before it has stalled for RESPONSE_STALL_TIMEOUT_MS.
 */
export function checkSlowReaders({ journal }: Pick<Evidence, 'journal'>): Violation[] {
  const faults = new FaultWindows(journal);
  return entriesOf(journal, 'slow reader').flatMap((reader) => {
    const { request, manner, why, sentMs, atMs } = reader;
    const wrong = wrongWith(reader);
    if (wrong === undefined || faults.explain(sentMs, atMs, excuseOf(reader, journal))) return [];
    return [violation('strange answer', `request ${request}, read ${manner}, ${wrong} ${why}`)];
  });
}

function wrongWith({ manner, end, sentMs, atMs }: SlowReader): string | undefined {
  const took = `${Math.round((atMs - sentMs) / 1_000)} s`;
  if (end === 'kept') return `has neither its results nor lost its connection after ${took}`;
  if (end !== 'ended') return undefined;
  if (manner !== 'never') return `lost its connection before it had its results, after ${took}`;
  return atMs - sentMs < STALL_MS ? `lost its connection after ${atMs - sentMs} ms` : undefined;
}

/** A fault of its api may end the connection. What PostgreSQL cannot store has no results, which nobody needs to read. */
function excuseOf({ to, manner }: SlowReader, journal: readonly Entry[]) {
  const api = apiAt(to, journal);
  return (kind: FaultKind, target: TargetName): boolean =>
    (target === api && kind !== 'unmount') || (manner === 'never' && hitsDatabase(kind, target));
}

const apiAt = (url: string, journal: readonly Entry[]): string | undefined =>
  entriesOf(journal, 'started').find((started) => started.url === url)?.process;

/**
 * What nobody read while no file could be made was refused by the disk, and this was counted. A fault that held up the
 * results explains why there was nothing to write.
 */
export function checkSpillFailures({ journal }: Pick<Evidence, 'journal'>): Violation[] {
  const faults = new FaultWindows(journal);
  const unmounted = faults.during('unmount');
  const unread = entriesOf(journal, 'slow reader').filter(
    ({ manner, end, sentMs, atMs }) =>
      manner === 'never' &&
      end === 'ended' &&
      unmounted.some(({ fromMs, toMs }) => fromMs <= sentMs && atMs <= toMs) &&
      !faults.explain(sentMs, atMs, hitsServer),
  );
  return unread.flatMap(({ to, atMs }) => {
    const api = apiAt(to, journal);
    const scrape = entriesOf(journal, 'scraped').find((one) => one.process === api && one.atMs > atMs);
    const started = entriesOf(journal, 'started').filter((one) => one.process === api && one.atMs > atMs);
    const isOfAnother = started.some(({ pid }) => pid === scrape?.pid); // it was restarted unscraped
    if (!scrape || isOfAnother || sumOf(scrape.values, 'streamforge_spill_failures_total') > 0) return [];
    return [violation('metrics', `${api} counts no failure of SPILL_DIRECTORY, and nothing could be written there`)];
  });
}
