import type { Db } from '../../db/pool';
import { countBackfill, type BackfillCounts } from './backfill.queries';
import { countOutcomes } from './replay-events.queries';

const NAMES = {
  PENDING: 'pending',
  DISPATCHED: 'dispatched',
  COMPLETED: 'completed',
  DEAD_LETTERED: 'deadLettered',
  SKIPPED: 'skipped',
  CANCELLED: 'cancelled',
} as const;

export interface ReplayProgress {
  /** The number of events by outcome. The sum equals `matched`. */
  progress: Record<(typeof NAMES)[keyof typeof NAMES], number>;
  skippedByReason: Record<string, number>;
}

export async function readProgressOf(db: Db, replayId: string): Promise<ReplayProgress> {
  const backfill = await countBackfill(db, replayId);
  if (backfill) return progressOfBackfill(backfill);
  const progress = { pending: 0, dispatched: 0, completed: 0, deadLettered: 0, skipped: 0, cancelled: 0 };
  const skippedByReason: Record<string, number> = {};
  for (const { outcome, reason, count } of await countOutcomes(db, replayId)) {
    progress[NAMES[outcome as keyof typeof NAMES]] += count;
    if (reason) skippedByReason[reason] = count;
  }
  return { progress, skippedByReason };
}

/** Events that a backfill has not looked at are pending, or cancelled once it is. */
function progressOfBackfill(counts: BackfillCounts): ReplayProgress {
  const { matched, status, filled, skipped, open, failed, closed } = counts;
  const skippedByReason = { ...skipped };
  if (closed > 0) skippedByReason.closed = closed;
  const sumSkipped = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  const rest = Math.max(0, matched - filled - sumSkipped);
  return {
    progress: {
      pending: status === 'RUNNING' ? rest : 0,
      dispatched: open,
      completed: Math.max(0, filled - open - failed - closed),
      deadLettered: failed,
      skipped: sumSkipped + closed,
      cancelled: status === 'RUNNING' ? 0 : rest,
    },
    skippedByReason,
  };
}
