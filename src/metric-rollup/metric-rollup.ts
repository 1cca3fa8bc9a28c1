import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import { checkedSlices, dueSlices, notAhead, partsOf, untilNextSlice } from './decide-slices';
import {
  beginRollup,
  coarsenRollup,
  findLateSlice,
  forgetRollup,
  makeSlices,
  readRollupProgress,
  recordRolledTo,
  ROLLUP_PLANS,
  type RollupProgress,
} from './rollup.queries';

/** Slices of one statement. A slice of ten seconds may have a hundred thousand events. */
const AT_ONCE = 6;
/** After a pause of all publishers, more and more slices are made in one run, as long as a run takes less than this. */
const QUICK_MS = 500;
const MOST_A_RUN = 360;
const FORGOTTEN_A_RUN = 5_000;
const MINUTE_SECONDS = 60;

/**
 * Rolls up what was accepted, completed, rejected, delivered and failed, for GET /v1/admin/metrics. Each slice of ten
 * seconds is made from committed rows and can be made again, so it counts each of them once, whoever makes it and however
 * often. Rows that are committed after their slice was made are found by counting for 15 minutes. Then every slice from
 * theirs on is made again: what they complete may lie in a later one.
 */
export class MetricRollup {
  private most = AT_ONCE;

  constructor(private readonly pool: Pool) {}

  /** Makes the slices that are due. Returns the wait until the next run in ms, or `elsewhere` if another process does it. */
  async runOnce(): Promise<number | 'elsewhere'> {
    const { most } = this;
    this.most = 1; // if this run fails, for example by a timeout, the next one does less
    const beganMs = performance.now();
    const progress = await underTransactionLock(this.pool, ADVISORY_LOCKS.metricRollup, (db) => this.run(db, most));
    const isQuick = performance.now() - beganMs < QUICK_MS;
    this.most = progress !== 'elsewhere' && isQuick ? Math.min(2 * most, MOST_A_RUN) : AT_ONCE;
    return progress === 'elsewhere' ? progress : untilNextSlice(progress);
  }

  private async run(db: PoolClient, most: number): Promise<RollupProgress> {
    await db.query(ROLLUP_PLANS);
    await beginRollup(db);
    const before = notAhead(await readRollupProgress(db));
    const due = dueSlices(before, most);
    if (due.to === due.from) return before;
    const late = await findLateSlice(db, checkedSlices(before));
    for (const part of partsOf({ ...due, from: late ?? due.from }, AT_ONCE)) await makeSlices(db, part);
    await recordRolledTo(db, due.to);
    const progress = { ...before, rolledTo: due.to };
    if (due.to % MINUTE_SECONDS < due.to - due.from) await this.tidy(db, progress);
    return progress;
  }

  /** Once a minute. */
  private async tidy(db: PoolClient, progress: RollupProgress): Promise<void> {
    await coarsenRollup(db, progress);
    await forgetRollup(db, progress, FORGOTTEN_A_RUN);
  }
}
