import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ReplayPreview } from './replay-preview';
import type { ReplayMode } from '../../event-state/dispatch-replayed.queries';
import { REPLAY_MODES } from '../../event-state/dispatch-replayed.queries';
import type { ReplayStatus } from './replay.queries';

export class ReplayResponse {
  @ApiProperty({ example: true })
  accepted!: boolean;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null for a dry run' })
  replayId!: string | null;

  @ApiProperty({ enum: REPLAY_MODES })
  mode!: ReplayMode;

  @ApiProperty({ example: 3, description: 'Events that the filter names, up to the limit' })
  matched!: number;

  @ApiProperty({ example: 3, description: 'Sent by the time of this answer; a large replay goes on after it' })
  replayed!: number;

  @ApiProperty({ example: 0, description: 'Not sent, or of a dry run, what would not be' })
  skipped!: number;

  @ApiProperty({ example: false })
  dryRun!: boolean;

  @ApiPropertyOptional({ type: ReplayPreview, description: 'Of a dry run' })
  preview?: ReplayPreview;

  @ApiProperty({ example: 'c-1' })
  correlationId!: string;
}

export class ReplaySummary {
  @ApiProperty({ format: 'uuid' })
  replayId!: string;

  @ApiProperty({ enum: REPLAY_MODES })
  mode!: ReplayMode;

  @ApiProperty({ enum: ['RUNNING', 'DONE', 'CANCELLED'] })
  status!: ReplayStatus;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { tenantId: 'demo' } })
  filter!: object;

  @ApiProperty({ example: 2000 })
  matched!: number;

  @ApiProperty({ example: false, description: 'The filter named more events than the limit let in' })
  more!: boolean;

  @ApiProperty({ example: 'admin' })
  requestedBy!: string;

  @ApiProperty({ example: 'c-1' })
  correlationId!: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finishedAt!: string | null;
}

class Progress {
  @ApiProperty({ example: 0, description: 'Not sent yet' })
  pending!: number;

  @ApiProperty({ example: 12, description: 'Sent, not at rest yet' })
  dispatched!: number;

  @ApiProperty({ example: 1988 })
  completed!: number;

  @ApiProperty({ example: 0 })
  deadLettered!: number;

  @ApiProperty({ example: 0 })
  skipped!: number;

  @ApiProperty({ example: 0 })
  cancelled!: number;
}

export class ReplayProgressResponse extends ReplaySummary {
  @ApiProperty({ type: Progress, description: 'Events by outcome; their sum is `matched`' })
  progress!: Progress;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, example: { 'in-process': 1 } })
  skippedByReason!: Record<string, number>;
}

export class ReplaysPage {
  @ApiProperty({ type: [ReplaySummary] })
  replays!: ReplaySummary[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}
