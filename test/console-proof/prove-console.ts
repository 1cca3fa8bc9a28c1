import { Report } from '../deliveries-proof/report';
import { ADMIN_TOKEN } from '../support/app';
import { openBrowser } from '../support/browser';
import { openConsole, type ConsolePage } from '../support/console-page';
import { FilledInstallation } from './filled-installation';
import { quantile, timePages } from './open-pages';
import { PAGES } from './pages';
import type { StatementLog } from './statements';
import { watchLive, type LiveLoad } from './watch-live';

export interface ProofSize {
  /** A tenth of them are dead letters. */
  events: number;
  /** How often each page is opened. */
  rounds: number;
  live: LiveLoad;
}

/** What must hold. */
export interface ProofBounds {
  /** p95 of the time until a page is interactive. */
  pageMs: number;
  statementMs: number;
  framesPerSecond: number;
  /** How much the page may have grown, in bytes. */
  growth: number;
}

const SLOWEST_SHOWN = 12;
const MB = 1_000_000;

/**
 * Runs the proof on servers of its own. Returns whether everything is within its bounds.
 * @param leaving ends the proof, which then throws, and its servers
 */
export async function proveConsole(
  size: ProofSize,
  bounds: ProofBounds,
  say: (line: string) => void,
  leaving?: AbortSignal,
): Promise<boolean> {
  const report = new Report('console', say);
  const installation = await FilledInstallation.start(size.events, (line) => report.note(line), leaving);
  try {
    const chromium = await openBrowser();
    try {
      const at = await openConsole(chromium.browser, installation.url);
      await at.page.goto(`${installation.url}/console/`);
      await at.signIn(ADMIN_TOKEN);
      await at.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      await provePages(at, installation, size.rounds, bounds, report);
      await proveLive(at, installation, size.live, bounds, report);
      report.figure(`faults of the page: ${at.faults.join('; ') || 'none'}`, at.faults.length === 0);
    } finally {
      await chromium.close();
    }
    report.figure(
      `processes that ended: ${installation.crashes.join('; ') || 'none'}`,
      installation.crashes.length === 0,
    );
  } finally {
    await installation.stop();
  }
  return report.hasPassed;
}

async function provePages(
  at: ConsolePage,
  installation: FilledInstallation,
  rounds: number,
  bounds: ProofBounds,
  report: Report,
): Promise<void> {
  const ids = await installation.ids();
  const log = installation.log();
  for (const { name, times } of await timePages(at, installation.url, PAGES, ids, rounds)) {
    const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
    report.figure(`${name}: interactive p50 ${ms(p50)}, p95 ${ms(p95)}`, p95 <= bounds.pageMs);
  }
  reportStatements('pages', log, bounds, report);
}

async function proveLive(
  at: ConsolePage,
  installation: FilledInstallation,
  load: LiveLoad,
  bounds: ProofBounds,
  report: Report,
): Promise<void> {
  await installation.startProcess('publisher,worker');
  const log = installation.log();
  const figures = await watchLive(at, installation.url, load);
  report.note(`live: an idle page draws ${figures.idleFramesPerSecond.toFixed(1)} frames per second here`);
  report.note(`live: ${figures.sentPerSecond.toFixed(0)} events per second for ${load.seconds} s; ${figures.status}`);
  const frames = `${figures.framesPerSecond.toFixed(1)} frames per second, the longest ${ms(figures.longestFrameMs)}`;
  report.figure(`live: ${frames}`, figures.framesPerSecond >= bounds.framesPerSecond);
  const { heapBefore, heapAfter } = figures;
  const heap = `memory ${(heapBefore / MB).toFixed(1)} MB before, ${(heapAfter / MB).toFixed(1)} MB after`;
  report.figure(`live: ${heap}`, heapAfter - heapBefore <= bounds.growth);
  reportStatements('live', log, bounds, report);
}

function reportStatements(phase: string, log: StatementLog, bounds: ProofBounds, report: Report): void {
  const slowest = log.slowest();
  for (const { text, ms: most, times } of slowest.slice(0, SLOWEST_SHOWN)) {
    report.note(`${phase}: ${ms(most)} at most in ${times}: ${text.slice(0, 200)}`);
  }
  const most = slowest[0]?.ms ?? 0;
  report.figure(`${phase}: the slowest statement took ${ms(most)}`, most <= bounds.statementMs);
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
