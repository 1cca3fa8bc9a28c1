import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { ActingOperator } from '../../access/acting-operator';
import { redactResponse } from '../../access/redaction/redact-response';
import { Redaction } from '../../access/redaction/redaction';
import { onOneConnection, type Db } from '../../db/pool';
import type { AdminAction } from '../audit/admin-action';
import { deliveryAttemptEntry, deliveryEntry, settledEntry } from './delivery-entries';
import { listDeliveriesOfTimeline, listDeliveryAttemptsOfTimeline } from './delivery-history.queries';
import { dispatchEntry, receivedEntry, rejectionEntries } from './event-entries';
import {
  findTimelineEvent,
  listClosedDispatches,
  listRejectionsOfEvent,
  listRevisionsOfTimeline,
} from './event-history.queries';
import { attemptEntry, deadLetterEntry, retryEntry } from './handler-entries';
import { findDeadLetter, findScheduledRetry, listHandlerAttempts } from './handler-history.queries';
import { actionEntry, replayEntry, resolvedEntry, revisionEntry, settledByAction } from './operator-entries';
import { listActionsOfTimeline, listReplaysOfTimeline, type OperatorScope } from './operator-history.queries';
import { newestEntries, type TimelineEntry } from './timeline-entry';

const MOST_ENTRIES = 1_000;
/** One more of each kind than is shown tells whether there are more. */
const MOST_ROWS = MOST_ENTRIES + 1;

const RESUBMIT: AdminAction = 'rejections.resubmit';

export interface EventTimeline {
  entries: TimelineEntry[];
  truncated: boolean;
}

/** Reads what happened to an event, oldest first. */
@Injectable()
export class Timeline {
  constructor(
    private readonly pool: Pool,
    private readonly redaction: Redaction,
  ) {}

  /** Returns undefined if the operator may see no event with this id. */
  async read(eventId: string, acting: ActingOperator): Promise<EventTimeline | undefined> {
    const { tenantIds } = acting;
    return onOneConnection(this.pool, async (db) => {
      const event = await findTimelineEvent(db, eventId, tenantIds);
      if (!event) return undefined;
      const history = await readHistory(db, eventId, { tenantIds, limit: MOST_ROWS });
      const isRedacted = this.redaction.pointersFor(acting, event.tenantId).length > 0;
      const shown = isRedacted ? withoutTexts(history) : history;
      return newestEntries([receivedEntry(event), ...entriesOf(shown)], MOST_ENTRIES);
    });
  }
}

/** The statements go out at once, so together they cost one round trip. */
async function readHistory(db: Db, eventId: string, scope: OperatorScope) {
  const { limit } = scope;
  const [rejections, dispatches, attempts, retry, letter, revisions, deliveries, deliveryAttempts, replays, actions] =
    await Promise.all([
      listRejectionsOfEvent(db, eventId, limit),
      listClosedDispatches(db, eventId, limit),
      listHandlerAttempts(db, eventId, limit),
      findScheduledRetry(db, eventId),
      findDeadLetter(db, eventId),
      listRevisionsOfTimeline(db, eventId),
      listDeliveriesOfTimeline(db, eventId, scope),
      listDeliveryAttemptsOfTimeline(db, eventId, limit),
      listReplaysOfTimeline(db, eventId, scope),
      listActionsOfTimeline(db, eventId, scope),
    ]);
  const ofHandlers = { dispatches, attempts, retry, letter };
  return { rejections, ...ofHandlers, revisions, deliveries, deliveryAttempts, replays, actions };
}

type History = Awaited<ReturnType<typeof readHistory>>;

/** The sentences repeat texts of failures, which may quote the event. */
const withoutTexts = (history: History): History => redactResponse(history, () => true) as History;

function entriesOf(history: History): TimelineEntry[] {
  const { rejections, dispatches, attempts, retry, letter, revisions } = history;
  const { deliveries, deliveryAttempts, replays, actions } = history;
  const isResubmitted = actions.some(({ action }) => action === RESUBMIT);
  const entries = [
    ...rejections.flatMap((one) => rejectionEntries(one, isResubmitted)),
    ...dispatches.map(dispatchEntry),
    ...attempts.map(attemptEntry),
    retry && retryEntry(retry),
    letter && deadLetterEntry(letter),
    letter && resolvedEntry(letter, actions, revisions),
    ...revisions.map(revisionEntry),
    ...deliveries.flatMap((one) => [deliveryEntry(one), settledEntry(one, settledByAction(one, actions))]),
    ...deliveryAttempts.map(deliveryAttemptEntry),
    ...replays.map(replayEntry),
    ...actions.map(actionEntry),
  ];
  return entries.filter((entry) => entry !== undefined);
}
