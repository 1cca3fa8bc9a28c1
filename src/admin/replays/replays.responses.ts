import { REPLAY_MODES, type ReplayMode } from '../../event-state/dispatch-replayed.queries';
import {
  ApiAnyObject,
  ApiCount,
  ApiCounts,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiObject,
  ApiText,
} from '../../http/docs/api-fields';
import { ApiActionId } from '../endpoint/action-docs';
import { RECORDED_MODES, type RecordedMode, type ReplayStatus } from './replay.queries';

/** What a replay would do if it started now. */
export class ReplayPreview {
  @ApiCount(3, { description: 'Number of events that would be dispatched' }) wouldReplay!: number;
  @ApiCounts({ 'in-process': 1 }, { description: 'Number of events that would be skipped, by reason' })
  skippedByReason!: Record<string, number>;
  @ApiCounts({ 'sale.completed': 3 }) byType!: Record<string, number>;
  @ApiInstant({ nullable: true, description: 'Time of receipt of the oldest event that would be dispatched' }) oldest!:
    string | null;
  @ApiInstant({ nullable: true, description: 'Time of receipt of the newest event that would be dispatched' }) newest!:
    string | null;
  @ApiList(String, { description: 'Ids of up to 10 of the newest events' }) sampleEventIds!: string[];
  @ApiFlag(false, { description: 'True when the filter matches more events than `limit`' }) more!: boolean;
}

export class ReplayResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiActionId() actionId!: string | null;
  @ApiId({ nullable: true, description: 'The same id. Null in a dry run' }) replayId!: string | null;
  @ApiEnum('ReplayMode', REPLAY_MODES) mode!: ReplayMode;
  @ApiCount(3, { description: 'Number of events that match the filter, up to `limit`' }) matched!: number;
  @ApiCount(3, { description: 'Number of events dispatched before this response. A large replay continues after it' })
  replayed!: number;
  @ApiCount(0, { description: 'Number of events that were skipped or, in a dry run, would be skipped' })
  skipped!: number;
  @ApiFlag(false) dryRun!: boolean;
  @ApiObject(ReplayPreview, { required: false, description: 'Present in a dry run' }) preview?: ReplayPreview;
  @ApiText('c-1') correlationId!: string;
}

export class ReplaySummary {
  @ApiId() replayId!: string;
  @ApiEnum('RecordedMode', RECORDED_MODES) mode!: RecordedMode;
  @ApiEnum('ReplayStatus', ['RUNNING', 'DONE', 'CANCELLED']) status!: ReplayStatus;
  @ApiAnyObject({ tenantId: 'demo' }) filter!: object;
  @ApiCount(2000) matched!: number;
  @ApiFlag(false, {
    description: 'True when the filter matched more events than `limit`, or when the count of a backfill stopped',
  })
  more!: boolean;
  @ApiText('admin') requestedBy!: string;
  @ApiText('c-1') correlationId!: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant({ nullable: true }) finishedAt!: string | null;
}

class ReplayCounts {
  @ApiCount(0, { description: 'Not dispatched yet' }) pending!: number;
  @ApiCount(12, { description: 'Dispatched, not settled yet' }) dispatched!: number;
  @ApiCount(1988, {
    description:
      'The handlers are done or, with `destinationId`, the delivery is queued. Deliveries go on: see `GET /v1/admin/deliveries`. In a backfill: DELIVERED',
  })
  completed!: number;
  @ApiCount(0, { description: 'Handlers failed. In a backfill: the delivery is FAILED or DISCARDED' })
  deadLettered!: number;
  @ApiCount(0) skipped!: number;
  @ApiCount(0) cancelled!: number;
}

export class ReplayProgressResponse extends ReplaySummary {
  @ApiObject(ReplayCounts, { description: 'Number of events by outcome. The sum equals `matched`' })
  progress!: ReplayCounts;
  @ApiCounts({ 'in-process': 1 }) skippedByReason!: Record<string, number>;
}

export class ReplaysPage {
  @ApiList(ReplaySummary, { description: 'Replays, newest first' }) replays!: ReplaySummary[];
  @ApiNextCursor() nextCursor!: string | null;
}

/** A backfill goes on after this response. */
export class BackfillResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiActionId() actionId!: string | null;
  @ApiId({ nullable: true, description: 'The same id, for GET /v1/admin/replays/{replayId}. Null in a dry run' })
  replayId!: string | null;
  @ApiEnum('RecordedMode', RECORDED_MODES) mode!: RecordedMode;
  @ApiCount(10_000, {
    description: 'Number of events that match, up to `limit`, among the oldest 1000000 of the time range',
  })
  matched!: number;
  @ApiFlag(false) dryRun!: boolean;
  @ApiText('c-1') correlationId!: string;
}
