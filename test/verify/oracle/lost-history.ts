import type { StoredEvent } from '../evidence/evidence';
import type { Told } from '../load/sending';
import { entriesOf, type Entry } from '../run/journal';
import { answersIn } from './answers';
import { FaultWindows, type Span } from './fault-windows';

/** An answer that was on its way when PostgreSQL went back, and a delivery that a worker was sending. */
const LATE_MS = { answer: 1_000, delivery: 3_000 };

/**
 * The journal without what PostgreSQL has forgotten by going back in time, so that the other rules need not know of it: an
 * event that was acknowledged before and is not stored is lost until it is sent again, and so are its deliveries. What was
 * answered after that counts in full, and a delivery of a lost event is a violation then. Counters of the processes include
 * what was lost, so nobody compares those of later.
 */
export function withoutLost(journal: readonly Entry[], stored: readonly Pick<StoredEvent, 'id'>[]): Entry[] {
  const lost = lostSpan(journal);
  if (!lost) return [...journal];
  const ids = new Set(stored.map(({ id }) => id));
  const isThen = ({ atMs }: Entry, lateMs: number): boolean => atMs >= lost.fromMs && atMs <= lost.toMs + lateMs;
  const kept = (told: readonly Told[]): Told[] => told.filter(({ fields }) => ids.has(String(fields?.id)));
  return journal.flatMap((entry): Entry[] => {
    switch (entry.kind) {
      case 'scraped':
        return entry.atMs < lost.fromMs ? [entry] : [];
      case 'answered': {
        if (!isThen(entry, LATE_MS.answer)) return [entry];
        const { summary: _, lastCommittedRecord: __, ...others } = entry;
        return [{ ...others, told: kept(entry.told) }];
      }
      case 'unanswered':
      case 'strange':
        return isThen(entry, LATE_MS.answer) ? [{ ...entry, told: kept(entry.told) }] : [entry];
      case 'delivered':
        return isThen(entry, LATE_MS.delivery) && !ids.has(entry.webhookId) ? [] : [entry];
      default:
        return [entry];
    }
  });
}

/** Counts the events whose id was answered in time, and that are not stored under it. */
export function lostEvents(journal: readonly Entry[], stored: readonly Pick<StoredEvent, 'id'>[]): number {
  const lost = lostSpan(journal);
  if (!lost) return 0;
  const ids = new Set(stored.map(({ id }) => id));
  const told = answersIn(journal).filter(({ atMs }) => atMs >= lost.fromMs && atMs <= lost.toMs + LATE_MS.answer);
  const answered = new Set(told.flatMap((answer) => answer.told.flatMap(({ fields }) => fields?.id ?? [])));
  return [...answered].filter((id) => typeof id === 'string' && !ids.has(id)).length;
}

/** From the last moment that PostgreSQL remembers until it had gone back. */
function lostSpan(journal: readonly Entry[]): Span | undefined {
  const [kept] = entriesOf(journal, 'last kept');
  if (!kept) return undefined;
  const [back] = new FaultWindows(journal).during(kept.way);
  return { fromMs: kept.atMs, toMs: back?.toMs ?? Infinity };
}
