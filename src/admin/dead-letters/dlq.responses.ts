import { ApiProperty } from '@nestjs/swagger';

const INSTANT = { format: 'date-time', example: '2026-11-24T04:08:57.544Z' };

class ReasonResponse {
  @ApiProperty({ example: 'RETRY_EXHAUSTED' })
  reasonCode!: string;

  @ApiProperty({ example: 'answered <n> for <id>', description: 'Without what differs from event to event' })
  errorMessage!: string;

  @ApiProperty({ example: 3 })
  count!: number;

  @ApiProperty(INSTANT)
  firstSeenAt!: string;

  @ApiProperty(INSTANT)
  lastSeenAt!: string;

  @ApiProperty({ type: [String], description: 'Ids of some of the newest' })
  sampleEventIds!: string[];
}

export class ReasonsResponse {
  @ApiProperty({ type: [ReasonResponse] })
  reasons!: ReasonResponse[];

  @ApiProperty({ example: 3, description: 'Dead letters in all groups' })
  total!: number;

  @ApiProperty({ example: false, description: 'True when only the newest 50000 dead letters were counted' })
  capped!: boolean;
}

class DeadLetterResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'sale-1001' })
  eventId!: string;

  @ApiProperty({ example: 'demo' })
  tenantId!: string;

  @ApiProperty({ example: 'sale.completed' })
  type!: string;

  @ApiProperty({ example: 'order-1001' })
  subject!: string;

  @ApiProperty(INSTANT)
  receivedAt!: string;

  @ApiProperty({ example: 'RETRY_EXHAUSTED' })
  reasonCode!: string;

  @ApiProperty({ type: String, nullable: true })
  errorMessage!: string | null;

  @ApiProperty({ example: 5 })
  attempts!: number;

  @ApiProperty(INSTANT)
  firstFailedAt!: string;

  @ApiProperty(INSTANT)
  lastFailedAt!: string;
}

export class DeadLettersPage {
  @ApiProperty({ type: [DeadLetterResponse] })
  deadLetters!: DeadLetterResponse[];

  @ApiProperty({ type: String, nullable: true, description: 'Where the next page goes on; null at the end' })
  nextCursor!: string | null;
}

/** What every bulk change answers. */
class BulkResponse {
  @ApiProperty({ example: true })
  accepted!: boolean;

  @ApiProperty({ example: 3, description: 'Events that the filter names, up to the limit' })
  matched!: number;

  @ApiProperty({ example: 0, description: 'Matched, but moved on meanwhile or waiting in a replay' })
  skipped!: number;

  @ApiProperty({ example: false })
  dryRun!: boolean;

  @ApiProperty({ example: 'c-1' })
  correlationId!: string;
}

export class RetryResponse extends BulkResponse {
  @ApiProperty({ example: 3 })
  retried!: number;
}

export class DiscardResponse extends BulkResponse {
  @ApiProperty({ example: 3 })
  discarded!: number;
}
