import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { EVENT_STATUSES, type AttemptStatus, type EventStatus } from '../../event/event-status';

const INSTANT = { format: 'date-time', example: '2026-11-24T04:08:57.544Z' };

export class AttemptResponse {
  @ApiProperty({ example: 1 })
  attemptNumber!: number;

  @ApiProperty({ example: 1, description: 'Which sending of the event it belongs to' })
  dispatch!: number;

  @ApiProperty({ example: 1, description: 'Raised by a reprocessing replay' })
  generation!: number;

  @ApiProperty({ enum: ['SUCCESS', 'RETRY', 'DLQ'] })
  status!: AttemptStatus;

  @ApiProperty({ example: 'PROCESSED' })
  reasonCode!: string;

  @ApiProperty({ type: String, nullable: true })
  errorMessage!: string | null;

  @ApiProperty({ example: 3 })
  durationMs!: number;

  @ApiProperty(INSTANT)
  createdAt!: string;
}

/** An event as a list shows it: everything but the payload, which GET /v1/events/{id} has. */
export class ListedEvent {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'sale-1001', description: 'The id of the producer' })
  eventId!: string;

  @ApiProperty({ example: 'demo' })
  tenantId!: string;

  @ApiProperty({ example: 'sale.completed' })
  type!: string;

  @ApiProperty({ example: 'order-1001' })
  subject!: string;

  @ApiProperty({ example: 'order-1001' })
  partitionKey!: string;

  @ApiProperty({ example: 'api' })
  source!: string;

  @ApiProperty(INSTANT)
  occurredAt!: string;

  @ApiProperty(INSTANT)
  receivedAt!: string;

  @ApiProperty({ example: 112 })
  sizeBytes!: number;

  @ApiProperty({ example: 'c-1' })
  correlationId!: string;

  @ApiProperty({ enum: EVENT_STATUSES })
  status!: EventStatus;

  @ApiProperty({ ...INSTANT, type: String, nullable: true })
  nextAttemptAt!: string | null;

  @ApiProperty({ type: String, nullable: true })
  lastError!: string | null;

  @ApiProperty({ ...INSTANT, type: String, nullable: true })
  publishedAt!: string | null;

  @ApiProperty({ ...INSTANT, type: String, nullable: true })
  completedAt!: string | null;

  @ApiPropertyOptional({ type: [AttemptResponse], description: 'With `attempts=true`, oldest first' })
  attempts?: AttemptResponse[];
}

export class EventsPage {
  @ApiProperty({ type: [ListedEvent], description: 'Newest first' })
  events!: ListedEvent[];

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'Where the next page goes on; null at the end. A page looks through a bounded number of events, so it may be short, or empty, before the end.',
  })
  nextCursor!: string | null;
}
