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
import type { ReplayStatus } from './replay.queries';

/** What a replay would do now. */
export class ReplayPreview {
  @ApiCount(3, { description: 'Events that would be sent' }) wouldReplay!: number;
  @ApiCounts({ 'in-process': 1 }, { description: 'Events that would be skipped, by reason' })
  skippedByReason!: Record<string, number>;
  @ApiCounts({ 'sale.completed': 3 }) byType!: Record<string, number>;
  @ApiInstant({ nullable: true, description: 'Receipt of the oldest' }) oldest!: string | null;
  @ApiInstant({ nullable: true, description: 'Receipt of the newest' }) newest!: string | null;
  @ApiList(String, { description: 'Ids of some of the newest' }) sampleEventIds!: string[];
  @ApiFlag(false, { description: 'The filter names more events than the limit lets in' }) more!: boolean;
}

export class ReplayResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiId({ nullable: true, description: 'null for a dry run' }) replayId!: string | null;
  @ApiEnum('ReplayMode', REPLAY_MODES) mode!: ReplayMode;
  @ApiCount(3, { description: 'Events that the filter names, up to the limit' }) matched!: number;
  @ApiCount(3, { description: 'Sent by the time of this response; a large replay goes on after it' }) replayed!: number;
  @ApiCount(0, { description: 'Not sent, or of a dry run, what would not be' }) skipped!: number;
  @ApiFlag(false) dryRun!: boolean;
  @ApiObject(ReplayPreview, { required: false, description: 'Of a dry run' }) preview?: ReplayPreview;
  @ApiText('c-1') correlationId!: string;
}

export class ReplaySummary {
  @ApiId() replayId!: string;
  @ApiEnum('ReplayMode', REPLAY_MODES) mode!: ReplayMode;
  @ApiEnum('ReplayStatus', ['RUNNING', 'DONE', 'CANCELLED']) status!: ReplayStatus;
  @ApiAnyObject({ tenantId: 'demo' }) filter!: object;
  @ApiCount(2000) matched!: number;
  @ApiFlag(false, { description: 'The filter named more events than the limit let in' }) more!: boolean;
  @ApiText('admin') requestedBy!: string;
  @ApiText('c-1') correlationId!: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant({ nullable: true }) finishedAt!: string | null;
}

class ReplayCounts {
  @ApiCount(0, { description: 'Not sent yet' }) pending!: number;
  @ApiCount(12, { description: 'Sent, not at rest yet' }) dispatched!: number;
  @ApiCount(1988) completed!: number;
  @ApiCount(0) deadLettered!: number;
  @ApiCount(0) skipped!: number;
  @ApiCount(0) cancelled!: number;
}

export class ReplayProgressResponse extends ReplaySummary {
  @ApiObject(ReplayCounts, { description: 'Events by outcome; their sum is `matched`' }) progress!: ReplayCounts;
  @ApiCounts({ 'in-process': 1 }) skippedByReason!: Record<string, number>;
}

export class ReplaysPage {
  @ApiList(ReplaySummary, { description: 'Newest first' }) replays!: ReplaySummary[];
  @ApiNextCursor() nextCursor!: string | null;
}
