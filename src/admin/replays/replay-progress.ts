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
function progressOfBackfill({ matched, status, filled, skipped, deliveries }: BackfillCounts): ReplayProgress {
  const skippedByReason = { ...skipped };
  if (deliveries.SKIPPED) skippedByReason.closed = deliveries.SKIPPED;
  const sumSkipped = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  const rest = Math.max(0, matched - filled - sumSkipped);
  const { OPEN = 0, DELIVERED = 0, FAILED = 0, DISCARDED = 0, SKIPPED = 0 } = deliveries;
  return {
    progress: {
      pending: status === 'RUNNING' ? rest : 0,
      dispatched: OPEN,
      completed: DELIVERED,
      deadLettered: FAILED + DISCARDED,
      skipped: sumSkipped + SKIPPED,
      cancelled: status === 'RUNNING' ? 0 : rest,
    },
    skippedByReason,
  };
}
