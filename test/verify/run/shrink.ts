import { Inconclusive } from './inconclusive';
import { verify, type FinishedRun, type Run } from './verify';

/** A try takes as long as its load, plus about half a minute. */
const MOST_TRIES = 6;
const MOST_MS = 15 * 60_000;
const LEAST_SECONDS = 10;

/**
 * Looks for a shorter run with the same violations: it tries half of the faults, with load only until the last of them.
 * Timing matters as well, so a try that passes proves nothing, and the search is short.
 */
export async function shrink(run: Run, failed: FinishedRun): Promise<void> {
  const { say } = run;
  const untilMs = Date.now() + MOST_MS;
  const breaches = new Set(failed.result.violations.map(({ breach }) => breach));
  const all = failed.plan.faults;
  let best: { seconds: number; faults: readonly number[] } = {
    seconds: run.seconds,
    faults: all.map(({ number }) => number),
  };
  const endOf = (faults: readonly number[]): number => {
    const ends = all
      .filter(({ number }) => faults.includes(number))
      .map(({ atMs, forMs }) => (atMs + forMs) / 1000 + 5);
    return Math.max(LEAST_SECONDS, ...ends);
  };
  let candidates = halvesOf(best.faults);
  for (let tries = 0; tries < MOST_TRIES && candidates.length > 0 && Date.now() < untilMs; tries++) {
    const faults = candidates.shift() as readonly number[];
    const seconds = Math.min(best.seconds, Math.ceil(endOf(faults)));
    say(`shrinking: ${seconds} s with ${faults.length} faults (${faults.join()})`);
    if (
      !(await failsAlike(
        { ...run, seconds, choice: { ...run.choice, numbers: faults }, say: () => undefined },
        breaches,
      ))
    )
      continue;
    best = { seconds, faults };
    candidates = halvesOf(faults);
  }
  const isShorter = best.seconds < run.seconds || best.faults.length < all.length;
  const options = `--seed ${run.seed} --minutes ${best.seconds / 60} --faults ${best.faults.join() || 'none'}`;
  say(isShorter ? `a shorter run that fails alike: ${options}` : 'no shorter run was seen to fail alike');
}

function halvesOf(faults: readonly number[]): (readonly number[])[] {
  if (faults.length === 0) return [];
  const middle = faults.length >> 1;
  const halves = [faults.slice(middle), faults.slice(0, middle)];
  return faults.length === 1 ? [[]] : halves;
}

async function failsAlike(run: Run, breaches: ReadonlySet<string>): Promise<boolean> {
  try {
    const { result } = await verify(run);
    return result.violations.some(({ breach }) => breaches.has(breach));
  } catch (error) {
    if (error instanceof Inconclusive) return false;
    throw error;
  }
}
