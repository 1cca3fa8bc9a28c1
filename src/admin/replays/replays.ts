import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { uuidV7 } from '../../event/uuid-v7';
import { ADMIN_ACTOR } from '../../access/admin-access';
import { recordChange } from '../audit/audit.queries';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { limitOf, recordedFilter, type BulkRequest } from '../events/bulk-request';
import type { FoundEvent } from '../events/event-search.queries';
import { findMatching } from '../events/matching-events';
import { assessForReplay } from '../../event-state/dispatch-replayed.queries';
import { previewOf } from './replay-preview';
import type { ReplayPreview } from './replays.responses';
import { stepReplay } from './replay-step';
import type { ReplayMode } from '../../event-state/dispatch-replayed.queries';
import { cancelReplay, finishReplay, insertReplay, lockReplay } from './replay.queries';
import { cancelPending, countOutcomes, insertReplayEvents, insertUnderReplay } from './replay-events.queries';

/** A replay of up to this many events is dispatched within its request. ReplayLoop dispatches larger ones. */
const WITHIN_REQUEST = 200;

export interface StartedReplay {
  replayId: string | null;
  matched: number;
  replayed: number;
  skipped: number;
  preview?: ReplayPreview;
}

/** Starts, previews and cancels replays, and reports their progress. */
@Injectable()
export class Replays {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly transactions: AdminTransactions,
    private readonly wakeUp: WakeUp,
  ) {}

  async start(request: BulkRequest & { mode: ReplayMode }, correlationId: string): Promise<StartedReplay> {
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    const { events, more } = await findMatching(this.pool, request, limit);
    if (request.dryRun) return this.preview(request, events, more);
    const id = await this.record(request, events, more, correlationId);
    if (events.length <= WITHIN_REQUEST) await this.step(id);
    const counts = await this.progress(id);
    return {
      replayId: id,
      matched: events.length,
      replayed: counts.dispatched + counts.completed,
      skipped: counts.skipped,
    };
  }

  /** Counts the events of a replay by outcome. The counts add up to `matched`. */
  async progress(id: string) {
    const progress = { pending: 0, dispatched: 0, completed: 0, deadLettered: 0, skipped: 0, cancelled: 0 };
    const skippedByReason: Record<string, number> = {};
    const names = {
      PENDING: 'pending',
      DISPATCHED: 'dispatched',
      COMPLETED: 'completed',
      DEAD_LETTERED: 'deadLettered',
      SKIPPED: 'skipped',
      CANCELLED: 'cancelled',
    } as const;
    for (const { outcome, reason, count } of await countOutcomes(this.pool, id)) {
      progress[names[outcome as keyof typeof names]] += count;
      if (reason) skippedByReason[reason] = count;
    }
    return { ...progress, skippedByReason };
  }

  /** Cancels the pending events. Dispatched events are still processed. Does nothing when the replay is not running. */
  async cancel(id: string, correlationId: string): Promise<void> {
    await this.transactions.run(async (db) => {
      if (!(await cancelReplay(db, id))) return;
      const cancelled = await cancelPending(db, id);
      await finishReplay(db, id);
      await recordChange(db, {
        action: 'replay.cancel',
        filter: { replayId: id },
        counts: { cancelled },
        correlationId,
      });
    });
  }

  private async preview(request: BulkRequest & { mode: ReplayMode }, events: FoundEvent[], more: boolean) {
    const ids = events.map(({ id }) => id);
    const discardedToo = request.status === 'DISCARDED' || request.eventIds !== undefined;
    const candidates = await assessForReplay(this.pool, { ids, discardedToo, ownReplay: null });
    const preview = previewOf(events, candidates, more);
    return { replayId: null, matched: ids.length, replayed: 0, skipped: ids.length - preview.wouldReplay, preview };
  }

  private async record(
    request: BulkRequest & { mode: ReplayMode },
    events: FoundEvent[],
    more: boolean,
    correlationId: string,
  ): Promise<string> {
    const id = uuidV7();
    const { mode, note } = request;
    const filter = recordedFilter(request);
    const ids = events.map((event) => event.id);
    const matched = ids.length;
    await this.transactions.run(async (db) => {
      await insertReplay(db, { id, mode, filter, matched, more, requestedBy: ADMIN_ACTOR, correlationId });
      await insertReplayEvents(db, id, ids);
      await insertUnderReplay(db, id, ids);
      await finishReplay(db, id); // does nothing while any event is pending
      await recordChange(db, {
        action: 'replay',
        filter: { ...filter, mode, replayId: id },
        counts: { matched },
        note,
        correlationId,
      });
    });
    return id;
  }

  private async step(id: string): Promise<void> {
    await this.transactions.run(async (db) => {
      const replay = await lockReplay(db, id);
      if (replay) await stepReplay(db, replay, WITHIN_REQUEST);
    });
    this.wakeUp.signal();
  }
}
