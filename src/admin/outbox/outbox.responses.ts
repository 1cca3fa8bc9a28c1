import { ApiProperty } from '@nestjs/swagger';

class StateCounts {
  @ApiProperty({ example: 0 })
  PENDING!: number;

  @ApiProperty({ example: 0 })
  IN_FLIGHT!: number;

  @ApiProperty({ example: 0 })
  FAILED!: number;
}

class FailedEntryResponse {
  @ApiProperty({ example: '4711' })
  id!: string;

  @ApiProperty({ format: 'uuid', description: 'The id of the event' })
  eventId!: string;

  @ApiProperty({ enum: ['main', 'retry', 'dlq'] })
  destination!: 'main' | 'retry' | 'dlq';

  @ApiProperty({ example: 1 })
  dispatchNo!: number;

  @ApiProperty({ example: 1 })
  attempts!: number;

  @ApiProperty({ type: String, nullable: true, example: 'the broker refused it' })
  lastError!: string | null;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  closedAt!: string;
}

export class OutboxResponse {
  @ApiProperty({ type: StateCounts })
  states!: StateCounts;

  @ApiProperty({ example: 100_000, description: 'A count that reaches this may be higher' })
  countedUpTo!: number;

  @ApiProperty({ type: Number, nullable: true, example: null, description: 'Age of the oldest open entry' })
  oldestPendingSeconds!: number | null;

  @ApiProperty({ type: [FailedEntryResponse], description: 'The newest 100 FAILED entries' })
  failed!: FailedEntryResponse[];
}

export class OutboxRetryResponse {
  @ApiProperty({ example: true })
  accepted!: boolean;

  @ApiProperty({ example: 2 })
  matched!: number;

  @ApiProperty({ example: 2 })
  requeued!: number;

  @ApiProperty({ example: 0, description: 'Named, but not FAILED' })
  skipped!: number;

  @ApiProperty({ example: 'c-1' })
  correlationId!: string;
}
