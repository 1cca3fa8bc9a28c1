import type { Pool } from 'pg';
import type { UsageProgress } from '../../usage/decide-usage-slices';
import { readUsageProgress } from '../../usage/usage-counting.queries';
import { isNearlyRolledUp } from '../metrics/fresh-counts';
import { listUsage, type Usage, type UsageCriteria } from './usage.queries';

export interface UsageRead {
  usage: Usage[];
  /** Everything before this instant is counted. */
  countedThrough: string;
}

/**
 * Reads usage. What the chore has not counted yet is counted now, so that figures are true up to the last second, unless it
 * could be any number of rows: while no publisher runs, the chore falls behind.
 * @throws the error of a cancelled statement after five seconds
 */
export async function readUsage(pool: Pool, criteria: UsageCriteria): Promise<UsageRead> {
  const progress = await readUsageProgress(pool);
  const withRest = isRestCounted(progress, criteria.lastDay);
  const usage = await listUsage(pool, criteria, withRest);
  const { countedTo, now } = progress;
  return { usage, countedThrough: instantOf(withRest ? now : Math.min(countedTo, now)) };
}

/** True if what is in no slice yet may be of the range, and is at most of a minute. */
export function isRestCounted({ countedTo, now }: UsageProgress, lastDay: string | null): boolean {
  const isOfRange = lastDay === null || lastDay >= instantOf(countedTo).slice(0, 10);
  return isOfRange && isNearlyRolledUp({ rolledTo: countedTo, now });
}

const instantOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();
