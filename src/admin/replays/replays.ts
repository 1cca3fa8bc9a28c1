import { Inject, Injectable, Logger } from '@nestjs/common';
import { loggedCause } from '../../db/outages';
import { WakeUp } from '../../redis/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { Db } from '../../db/pool';
import { uuidV7 } from '../../event/uuid-v7';
import { tenantsCovered, type ActingOperator } from '../../access/acting-operator';
import { recordCounts, type ChangeCounts } from '../audit/audit.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { limitOf, recordedFilter, refuseErased, type BulkRequest } from '../events/bulk-request';
import type { FoundEvent } from '../events/event-search.queries';
import { findMatching, namedBy } from '../events/matching-events';
import { assessForReplay, type ReplayMode } from '../../event-state/dispatch-replayed.queries';
import { cancelBackfill, finishBackfill } from './backfill.queries';
import { assessForDestination } from './destination-replay.queries';
import { previewOf } from './replay-preview';
import type { ReplayPreview } from './replays.responses';
import { stepReplay } from './replay-step';
import { readProgressOf } from './replay-progress';
import { cancelReplay, findReplay, finishReplay, insertReplay, lockReplay } from './replay.queries';
import { cancelPending, insertReplayEvents, insertUnderReplay, type ReplaySkip } from './replay-events.queries';

/** A replay of up to this many events is dispatched within its request. ReplayLoop dispatches larger ones. */
const WITHIN_REQUEST = 200;

type ReplayOrder = BulkRequest & { mode: ReplayMode };

export interface StartedReplay {
  /** Null in a dry run. */
  replayId: string | null;
  matched: number;
  replayed: number;
  skipped: number;
  preview?: ReplayPreview;
  correlationId: string;
  /** The replay had been started before, by an earlier request with the same idempotency key. */
  repeated: boolean;
}

/** Starts, previews and cancels replays. */
@Injectable()
export class Replays {
  private readonly logger = new Logger('Replays');

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
    private readonly wakeUp: WakeUp,
  ) {}

  /**
   * Once the replay is recorded, publishers carry it out, and this returns its id whatever happens next.
   *
   * @throws Problem `event-erased`
   */
  async start(order: ReplayOrder, headers: ActionHeaders): Promise<StartedReplay> {
    const { acting } = headers;
    const limit = limitOf(order, this.settings.REPLAY_MAX_LIMIT);
    const { events, more } = await this.transactions.read((db) => findMatching(db, order, acting, limit));
    const { correlationId } = acting;
    if (order.dryRun) return { ...(await this.preview(order, events, more)), correlationId, repeated: false };
    const recorded = await this.record(order, { events, more, limit }, headers);
    const { id, repeated } = recorded;
    const isSmall = !repeated && events.length <= WITHIN_REQUEST;
    const counts = isSmall ? await this.sendWithinRequest(id, recorded.counts) : recorded.counts;
    const { matched = 0, replayed = 0, skipped = 0 } = counts;
    return { replayId: id, matched, replayed, skipped, correlationId: recorded.correlationId, repeated };
  }

  /** Cancels the pending events. Dispatched events are still processed. Does nothing when the replay is not running. */
  async cancel(id: string, acting: ActingOperator): Promise<void> {
    const replay = await this.transactions.read((db) => findReplay(db, id, acting.tenantIds));
    if (replay?.status !== 'RUNNING') return;
    await this.actions.run({
      action: 'replay.cancel',
      filter: { replayId: id },
      acting,
      tenantIds: replay.tenantIds,
      work: async (db) => {
        const cancelled = replay.mode === 'backfill' ? await stopBackfill(db, id) : await stopReplay(db, id);
        return { counts: { cancelled }, result: undefined };
      },
    });
  }

  private async preview(order: ReplayOrder, events: FoundEvent[], more: boolean) {
    const ids = events.map(({ id }) => id);
    const candidates = await this.transactions.read((db) => assess(db, order, ids));
    const preview = previewOf(events, candidates, more);
    return { replayId: null, matched: ids.length, replayed: 0, skipped: ids.length - preview.wouldReplay, preview };
  }

  private record(
    order: ReplayOrder,
    { events, more, limit }: { events: FoundEvent[]; more: boolean; limit: number },
    { acting, idempotencyKey: key }: ActionHeaders,
  ) {
    const id = uuidV7();
    const { mode, note } = order;
    const filter = recordedFilter(order);
    const ids = events.map((event) => event.id);
    const matched = ids.length;
    return this.actions.run({
      id,
      action: 'replay',
      filter: { ...filter, mode, replayId: id },
      note,
      acting,
      tenantIds: tenantsCovered(acting, order.tenantId),
      idempotency: { key, asked: { filter, mode, limit, note } },
      work: async (db) => {
        const { name: requestedBy, correlationId } = acting;
        const named = await namedBy(order, acting)?.(db);
        if (named) refuseErased(named);
        await insertReplay(db, { id, mode, filter, matched, more, requestedBy, correlationId });
        await insertReplayEvents(db, id, ids);
        const skipped = await insertUnderReplay(db, id, ids);
        await finishReplay(db, id); // does nothing while any event is pending
        return { counts: { matched, replayed: 0, skipped }, result: undefined };
      },
    });
  }

  /** Sends what it can. If PostgreSQL fails, publishers send the events, and the counts are those of the record. */
  private async sendWithinRequest(id: string, recorded: ChangeCounts): Promise<ChangeCounts> {
    try {
      return await this.transactions.run((db) => send(db, id, recorded));
    } catch (error) {
      this.logger.warn({
        msg: 'the publishers will carry out a replay that its request could not',
        replayId: id,
        ...loggedCause(error),
      });
      return recorded;
    } finally {
      this.wakeUp.signal();
    }
  }
}

/** What a replay would find if it started now. */
function assess(
  db: Db,
  { mode, status, eventIds, destinationId }: ReplayOrder,
  ids: readonly string[],
): Promise<readonly { eventId: string; reason: ReplaySkip | null }[]> {
  const question = { ids, discardedToo: status === 'DISCARDED' || eventIds !== undefined, ownReplay: null };
  return destinationId ? assessForDestination(db, { ...question, destinationId, mode }) : assessForReplay(db, question);
}

async function stopReplay(db: Db, id: string): Promise<number> {
  const cancelled = (await cancelReplay(db, id)) ? await cancelPending(db, id) : 0;
  await finishReplay(db, id);
  return cancelled;
}

/** Deliveries that are in the queue are still made. */
async function stopBackfill(db: Db, id: string): Promise<number> {
  if (!(await cancelBackfill(db, id))) return 0;
  await finishBackfill(db, id);
  return (await readProgressOf(db, id)).progress.cancelled;
}

async function send(db: Db, id: string, { matched = 0 }: ChangeCounts): Promise<ChangeCounts> {
  const replay = await lockReplay(db, id);
  if (replay) await stepReplay(db, replay, WITHIN_REQUEST);
  const { dispatched, completed, skipped } = (await readProgressOf(db, id)).progress;
  const counts = { matched, replayed: dispatched + completed, skipped };
  await recordCounts(db, id, counts);
  return counts;
}
