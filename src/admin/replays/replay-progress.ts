import type { Db } from '../../db/pool';
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
  const progress = { pending: 0, dispatched: 0, completed: 0, deadLettered: 0, skipped: 0, cancelled: 0 };
  const skippedByReason: Record<string, number> = {};
  for (const { outcome, reason, count } of await countOutcomes(db, replayId)) {
    progress[NAMES[outcome as keyof typeof NAMES]] += count;
    if (reason) skippedByReason[reason] = count;
  }
  return { progress, skippedByReason };
}
