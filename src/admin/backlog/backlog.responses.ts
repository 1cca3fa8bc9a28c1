import { ApiCount, ApiEnum, ApiList, ApiSeconds } from '../../http/docs/api-fields';

export const BACKLOG_STAGES = ['publish', 'retry', 'deliver'] as const;
export type BacklogStage = (typeof BACKLOG_STAGES)[number];

class StageBacklog {
  @ApiEnum('BacklogStage', BACKLOG_STAGES, {
    description:
      '`publish`: entries of the outbox. `retry`: events whose handlers run again. `deliver`: deliveries, also those that wait for another try or for a paused destination',
  })
  stage!: BacklogStage;
  @ApiCount(12, { description: 'Number of those that wait' }) waiting!: number;
  @ApiSeconds(0.4, {
    nullable: true,
    description: 'For how long the oldest is due, in seconds. Null when none is due yet',
  })
  oldestDueSeconds!: number | null;
}

export class BacklogResponse {
  @ApiList(StageBacklog) stages!: StageBacklog[];
  @ApiCount(100_000, { description: 'Each count stops at this number; a count that equals it may be higher' })
  countedUpTo!: number;
}
