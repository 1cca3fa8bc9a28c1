import type { Evidence, StoredAttempt } from '../evidence/evidence';
import type { FaultKind, TargetName } from '../faults/schedule';
import { entriesOf, type EntryOf } from '../run/journal';
import { answersIn, requestsIn } from './answers';
import { FaultWindows, hitsDatabase } from './fault-windows';
import { repairsOf } from './reconciler';
import { violation, type Violation } from './violation';

/** Counters may lag this much behind at the time of a scrape. */
const BEFORE_MS = 250;
const COMMIT_MS = 6_000;

/**
 * Compares counters with what is stored and what was answered. A process is scraped just before it is killed, so the last
 * moment may be missing, and so may work that a database outage interrupted.
 */
export function checkMetrics(evidence: Evidence): Violation[] {
  const scrapes = lastScrapes(evidence.journal);
  const total = (series: string): number => scrapes.reduce((sum, { values }) => sum + sumOf(values, series), 0);
  const attempts = evidence.stored.flatMap((event) => event.attempts);
  const published = evidence.stored.flatMap(({ entries }) => entries).filter(({ status }) => status === 'PUBLISHED');
  const repairs = evidence.stored.flatMap(repairsOf);
  const dead = attempts.filter(({ status }) => status === 'DLQ').length;
  const atMost: [string, number][] = [
    ['streamforge_ingest_total{.*status="accepted"', evidence.stored.length],
    ['streamforge_outbox_published_total', published.length],
    ['streamforge_worker_attempts_total', attempts.length],
    ['streamforge_worker_dlq_total', dead],
    ['streamforge_reconciled_total', repairs.length],
  ];
  return [
    ...atMost
      .filter(([series, truth]) => total(series) > truth)
      .map(([series, truth]) => violation('metrics', `${series} counts ${total(series)}, and ${truth} are stored`)),
    ...checkIngest(evidence, scrapes),
    ...checkSourceRequests(evidence, scrapes),
    ...checkAttempts(evidence, scrapes),
    ...checkPublished(evidence, scrapes),
  ];
}

type Scrape = EntryOf<'scraped'>;

/** The last scrape of each process, by pid. */
function lastScrapes(journal: Evidence['journal']): Scrape[] {
  return [...new Map(entriesOf(journal, 'scraped').map((scrape) => [scrape.pid, scrape])).values()];
}

/** Sums the series of a scrape whose names begin with this pattern. */
export function sumOf(values: Record<string, number>, series: string): number {
  const pattern = new RegExp(`^${series}`);
  return Object.entries(values).reduce((sum, [name, value]) => sum + (pattern.test(name) ? value : 0), 0);
}

/** An api process has counted every event that it answered. */
function checkIngest({ journal }: Evidence, scrapes: readonly Scrape[]): Violation[] {
  const ownOf = ownAnswers(journal, answersIn(journal));
  return scrapes.flatMap((scrape) => {
    const { process, values } = scrape;
    const told = ownOf(scrape).flatMap((answer) => answer.told);
    return (['accepted', 'duplicate', 'rejected'] as const).flatMap((outcome) => {
      const answered = told.filter((one) => one.outcome === outcome).length;
      const counted = sumOf(values, `streamforge_ingest_total{.*status="${outcome}"`);
      if (counted >= answered) return [];
      return [violation('metrics', `${process} counted ${counted} ${outcome} events, and answered ${answered}`)];
    });
  });
}

/** The requests of sources are counted once each, by the api process that answered them. */
function checkSourceRequests({ journal }: Evidence, scrapes: readonly Scrape[]): Violation[] {
  const answers = entriesOf(journal, 'answered').filter(({ result }) => result !== undefined);
  const ownOf = ownAnswers(journal, answers);
  const series = (result: string): string => `streamforge_source_requests_total{.*result="${result}"`;
  const open = sentToSources(journal) - answers.length; // such a request may be counted with any result
  return RESULTS.flatMap((result) => {
    const ofResult = (all: readonly EntryOf<'answered'>[]): number => all.filter((one) => one.result === result).length;
    const few = scrapes.flatMap((scrape) => {
      const [counted, answered] = [sumOf(scrape.values, series(result)), ofResult(ownOf(scrape))];
      return counted < answered
        ? [`${scrape.process} counted ${counted} ${result} requests of sources, and answered ${answered}`]
        : [];
    });
    const counted = scrapes.reduce((sum, { values }) => sum + sumOf(values, series(result)), 0);
    const most = ofResult(answers) + open;
    const many =
      counted > most ? [`${counted} ${result} requests of sources are counted, and there were at most ${most}`] : [];
    return [...few, ...many].map((text) => violation('metrics', text));
  });
}

const RESULTS = ['accepted', 'duplicate', 'rejected', 'unverified'];

const sentToSources = (journal: Evidence['journal']): number =>
  entriesOf(journal, 'sent').filter(({ toSource }) => toSource !== undefined).length;

/** The answers of an api process well before it was scraped: requests to its address while it ran were answered by it. */
function ownAnswers<A extends { request: number; atMs: number }>(journal: Evidence['journal'], answers: readonly A[]) {
  const requests = requestsIn(journal);
  const starts = new Map(entriesOf(journal, 'started').map((started) => [started.pid, started]));
  return ({ process, pid, atMs }: Scrape): A[] => {
    const started = starts.get(pid);
    if (!process.startsWith('api') || !started) return [];
    return answers.filter(({ request, atMs: answeredMs }) => {
      const sent = requests.get(request);
      return sent?.to === started.url && sent.atMs > started.atMs && answeredMs < atMs - BEFORE_MS;
    });
  };
}

/** Attempts contain the pid of their worker. */
function checkAttempts({ stored, journal }: Evidence, scrapes: readonly Scrape[]): Violation[] {
  const faults = new FaultWindows(journal);
  const byPid = Map.groupBy(
    stored.flatMap(({ attempts }) => attempts),
    ({ worker }) => Number(worker.split(':').at(-1)),
  );
  return scrapes
    .filter(({ process }) => process.startsWith('worker'))
    .flatMap(({ process, pid, values, atMs }) => {
      const made = byPid.get(pid) ?? [];
      const counted = sumOf(values, 'streamforge_worker_attempts_total');
      const isSure = (attempt: StoredAttempt): boolean =>
        attempt.atMs < atMs - COMMIT_MS &&
        !faults.explain(attempt.atMs - COMMIT_MS, attempt.atMs + COMMIT_MS, hitsDatabase);
      const least = made.filter(isSure).length;
      if (least <= counted && counted <= made.length) return [];
      return [
        violation(
          'metrics',
          `${process} counted ${counted} attempts, and has stored ${made.length} (${least} undisturbed)`,
        ),
      ];
    });
}

/** The publishers have counted every entry that was published undisturbed, and before they were scraped last. */
function checkPublished({ stored, journal }: Evidence, scrapes: readonly Scrape[]): Violation[] {
  const faults = new FaultWindows(journal);
  const lastMs = Math.max(...scrapes.map(({ atMs }) => atMs));
  const disturbs = (kind: FaultKind, target: TargetName): boolean =>
    target.startsWith('publisher') || hitsDatabase(kind, target);
  const sure = stored
    .flatMap(({ entries }) => entries)
    .filter(
      ({ closedMs }) =>
        closedMs !== null && closedMs < lastMs && !faults.explain(closedMs - COMMIT_MS, closedMs + COMMIT_MS, disturbs),
    );
  const counted = scrapes.reduce((sum, { values }) => sum + sumOf(values, 'streamforge_outbox_published_total'), 0);
  if (counted >= sure.length) return [];
  return [
    violation('metrics', `publishers counted ${counted} published entries, ${sure.length} were published undisturbed`),
  ];
}
