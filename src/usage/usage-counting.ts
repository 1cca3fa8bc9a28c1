import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import {
  checkedUsageSlices,
  dueUsageSlices,
  monthToOpen,
  usageNotAhead,
  untilNextUsageSlice,
  USAGE_LATE_SECONDS,
  USAGE_SLICE_SECONDS,
  type UsageProgress,
} from './decide-usage-slices';
import {
  beginUsage,
  findLateUsageSlices,
  foldUsageSlices,
  forgetUsageSlices,
  makeUsageSlices,
  openFrom,
  readUsageProgress,
  recordCountedTo,
  USAGE_PLANS,
} from './usage-counting.queries';

/** Slices of one run. A slice of ten seconds may have a hundred thousand events. */
const AT_ONCE = 6;
/** After a pause of all publishers, more and more slices are made in one run, as long as a run takes less than this. */
const QUICK_MS = 500;
const MOST_A_RUN = 360;

/**
 * Counts the events and bytes that were accepted, and the deliveries that arrived, by tenant, day and type. Slices of ten
 * seconds are made from committed rows, in the transaction that moves the position, so each row counts once, whoever runs
 * this and however often. Rows that are committed after their slice was made are found by counting, for a quarter of an hour.
 * Then the slice is added to the sums of its day. Also closes months.
 */
export class UsageCounting {
  private most = AT_ONCE;

  constructor(private readonly pool: Pool) {}

  /** Makes the slices that are due. Returns the wait until the next run in ms, or `elsewhere` if another process does it. */
  async runOnce(): Promise<number | 'elsewhere'> {
    const { most } = this;
    this.most = 1; // if this run fails, for example by a timeout, the next one does less
    const beganMs = performance.now();
    const progress = await underTransactionLock(this.pool, ADVISORY_LOCKS.usage, (db) => this.run(db, most));
    const isQuick = performance.now() - beganMs < QUICK_MS;
    this.most = progress !== 'elsewhere' && isQuick ? Math.min(2 * most, MOST_A_RUN) : AT_ONCE;
    return progress === 'elsewhere' ? progress : untilNextUsageSlice(progress);
  }

  private async run(db: PoolClient, most: number): Promise<UsageProgress> {
    await db.query(USAGE_PLANS);
    await beginUsage(db);
    const recorded = await readUsageProgress(db);
    const before = usageNotAhead(recorded);
    if (before !== recorded) await forgetUsageSlices(db, before.countedTo);
    const due = dueUsageSlices(before, most);
    if (due.to === due.from && before === recorded) return before;
    for (const at of await findLateUsageSlices(db, checkedUsageSlices(due)))
      await makeUsageSlices(db, { from: at, to: at + USAGE_SLICE_SECONDS });
    await makeUsageSlices(db, due);
    await recordCountedTo(db, due.to);
    await foldUsageSlices(db, due.to - USAGE_LATE_SECONDS);
    const progress = { ...before, countedTo: due.to };
    const month = monthToOpen(progress);
    if (month !== undefined) await openFrom(db, month);
    return progress;
  }
}
