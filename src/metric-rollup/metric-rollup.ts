import type { Pool, PoolClient } from 'pg';
import { coarsenRollup, forgetRollup } from './coarsen.queries';
import { checkedSlices, dueSlices, inLists, notAhead, untilNextSlice } from './decide-slices';
import { makeLate, rollingUp } from './make-late';
import { DIMENSIONS_OF } from './measures';
import {
  beginRollup,
  makeSlices,
  readRollupProgress,
  recordRolledTo,
  summariseAttempts,
  type RollupProgress,
} from './rollup.queries';
import { CHECKED_SECONDS, COARSER, SLICE_SECONDS } from './steps';
import { sumChanges } from './sums.queries';

/** Slices of one transaction. A slice of ten seconds may have a hundred thousand events. */
const AT_ONCE = 6;
/** After a pause of all publishers, more and more slices are made in one run, as long as that takes less than this. */
const QUICK_MS = 500;
const MOST_A_RUN = 360;
const FORGOTTEN_A_RUN = 5_000;
/** Changes are added to the sums so often; whoever reads them adds the rest. */
const SUMMED_EVERY_SECONDS = 60;
const SUMMED_AT_ONCE = 50_000;
const SUMMED_A_RUN = 10;
/** One of each measure and dimension. */
const COARSENED_A_RUN = Object.values(DIMENSIONS_OF).flat().length;

interface Made {
  before: RollupProgress;
  after: RollupProgress;
}

/**
 * Rolls up what was accepted, completed, rejected, delivered and failed, for GET /v1/admin/metrics. Each slice of ten
 * seconds is made from committed rows and can be made again, so it counts each of them once, whoever makes it and however
 * often. Rows that are committed after their slice was made are found by counting for 15 minutes. Their slice is then made
 * again, and the later ones in which what they belong to was completed. Each part of a run is a transaction of its own, so
 * a late row or a large step that takes too long undoes nothing else.
 */
export class MetricRollup {
  private most = AT_ONCE;
  private hasFailed = false;
  /** Slices that could not be checked for late rows, because another process was rolling up. Those of one run at most. */
  private unchecked: number[] = [];

  constructor(private readonly pool: Pool) {}

  /** Makes the slices that are due. Returns the wait until the next run in ms, or `elsewhere` if another process does it. */
  async runOnce(): Promise<number | 'elsewhere'> {
    const { most, hasFailed } = this;
    this.most = 1; // if this run fails, for example by a timeout, the next one does less
    this.hasFailed = true;
    const beganMs = performance.now();
    const made = await this.makeDue(most);
    if (made === 'elsewhere') {
      this.most = most; // nothing was done, so nothing has failed
      this.hasFailed = hasFailed;
      return made;
    }
    const isQuick = performance.now() - beganMs < QUICK_MS;
    await this.makeLate(made, Math.min(most, AT_ONCE), hasFailed);
    if (made.after.rolledTo > made.before.rolledTo) {
      await this.tidy(made.after);
      if (isNewMinute(made)) await this.sum();
    }
    this.most = isQuick ? Math.min(2 * most, MOST_A_RUN) : AT_ONCE;
    this.hasFailed = false;
    return untilNextSlice(made.after);
  }

  private async makeDue(most: number): Promise<Made | 'elsewhere'> {
    if ((await rollingUp(this.pool, summariseAttempts)) === 'elsewhere') return 'elsewhere';
    let made: Made | 'elsewhere' = 'elsewhere';
    for (let left = most; left > 0; left -= AT_ONCE) {
      const slices = Math.min(left, AT_ONCE);
      const part = await rollingUp(this.pool, (db) => makeNext(db, slices));
      if (part === 'elsewhere') break;
      made = { before: made === 'elsewhere' ? part.before : made.before, after: part.after };
      if (part.after.rolledTo - part.before.rolledTo < slices * SLICE_SECONDS) break;
    }
    return made;
  }

  /** Checks what could not be checked in the run before as well. What is too old for it cannot be made again. */
  private async makeLate({ before, after }: Made, most: number, isAfterFailure: boolean): Promise<void> {
    const left = new Set(this.unchecked.filter((at) => at >= after.rolledTo - CHECKED_SECONDS));
    this.unchecked = [];
    const lists = [
      ...inLists([...left], AT_ONCE),
      ...checkedSlices(before, after, { isAfterFailure, atOnce: AT_ONCE }),
    ];
    for (const slices of lists) {
      const ranges = slices.map((from) => ({ from, to: from + SLICE_SECONDS }));
      if (!(await makeLate(this.pool, ranges, most))) this.unchecked.push(...slices);
    }
  }

  private async tidy(progress: RollupProgress): Promise<void> {
    for (const { to } of COARSER) {
      let more: boolean | 'elsewhere' = true;
      for (let n = 0; more === true && n < COARSENED_A_RUN; n++) {
        more = await rollingUp(this.pool, (db) => coarsenRollup(db, progress, to));
      }
    }
    await rollingUp(this.pool, (db) => forgetRollup(db, progress, FORGOTTEN_A_RUN));
  }

  private async sum(): Promise<void> {
    let more: boolean | 'elsewhere' = true;
    for (let n = 0; more === true && n < SUMMED_A_RUN; n++) {
      more = await rollingUp(this.pool, (db) => sumChanges(db, SUMMED_AT_ONCE));
    }
  }
}

const isNewMinute = ({ before, after }: Made): boolean =>
  Math.floor(after.rolledTo / SUMMED_EVERY_SECONDS) > Math.floor(before.rolledTo / SUMMED_EVERY_SECONDS);

async function makeNext(db: PoolClient, most: number): Promise<Made> {
  await beginRollup(db);
  const recorded = await readRollupProgress(db);
  const before = notAhead(recorded);
  const due = dueSlices(before, most);
  if (due.to > due.from) await makeSlices(db, due);
  if (due.to !== recorded.rolledTo) await recordRolledTo(db, due.to);
  return { before, after: { ...before, rolledTo: due.to } };
}
