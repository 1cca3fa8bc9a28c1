import type { Pool } from 'pg';
import { isCancelled } from '../../db/pg-errors';
import type { UsageProgress } from '../../usage/decide-usage-slices';
import { readUsageProgress } from '../../usage/usage-counting.queries';
import { isNearlyRolledUp } from '../metrics/fresh-counts';
import { listUsage, type Usage, type UsageCriteria } from './usage.queries';

export interface UsageRead {
  usage: Usage[];
  /** Everything before this instant is counted. */
  countedThrough: string;
  /** What the chore has not counted yet is part of it. */
  hasRest: boolean;
}

/**
 * Reads usage. What the chore has not counted yet is counted now, so that figures are true up to the last second. It is left
 * out if it could be any number of rows, since the chore falls behind while no publisher runs, and if counting it takes more
 * than two seconds.
 * @param withRest false: it is left out in any case
 * @throws the error of a cancelled statement after five more seconds
 */
export async function readUsage(pool: Pool, criteria: UsageCriteria, withRest = true): Promise<UsageRead> {
  const progress = await readUsageProgress(pool);
  if (withRest && isRestCounted(progress, criteria.lastDay)) {
    const usage = await listWithRest(pool, criteria);
    if (usage) return { usage, countedThrough: instantOf(progress.now), hasRest: true };
  }
  const usage = await listUsage(pool, criteria, false);
  return { usage, countedThrough: instantOf(Math.min(progress.countedTo, progress.now)), hasRest: false };
}

/** Returns undefined if it took too long. */
async function listWithRest(pool: Pool, criteria: UsageCriteria): Promise<Usage[] | undefined> {
  try {
    return await listUsage(pool, criteria, true);
  } catch (error) {
    if (!isCancelled(error)) throw error;
    return undefined;
  }
}

/** True if what is in no slice yet may be of the range, and is at most of a minute. */
export function isRestCounted({ countedTo, now }: UsageProgress, lastDay: string | null): boolean {
  const isOfRange = lastDay === null || lastDay >= instantOf(countedTo).slice(0, 10);
  return isOfRange && isNearlyRolledUp({ rolledTo: countedTo, now });
}

const instantOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();
