import { EVENT_STATUSES, type EventStatus } from '../../event/event-status';
import { ApiCount, ApiEnum, ApiId, ApiInstant, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';
import { AttemptResponse } from '../../http/docs/attempt.response';

export class ListedAttempt extends AttemptResponse {
  @ApiCount(1, { minimum: 1, description: 'Raised by a reprocessing replay' }) generation!: number;
}

/** An event as a list shows it: everything but the payload, which GET /v1/events/{id} has. */
export class ListedEvent {
  @ApiId() id!: string;
  @ApiText('sale-1001', { description: 'The id of the producer; without one, `id`' }) eventId!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('sale.completed') type!: string;
  @ApiText('order-1001') subject!: string;
  @ApiText('order-1001') partitionKey!: string;
  @ApiText('api') source!: string;
  @ApiInstant() occurredAt!: string;
  @ApiInstant() receivedAt!: string;
  @ApiCount(112) sizeBytes!: number;
  @ApiText('c-1') correlationId!: string;
  @ApiEnum('EventStatus', EVENT_STATUSES) status!: EventStatus;
  @ApiInstant({ nullable: true }) nextAttemptAt!: string | null;
  @ApiText(undefined, { nullable: true }) lastError!: string | null;
  @ApiInstant({ nullable: true }) publishedAt!: string | null;
  @ApiInstant({ nullable: true }) completedAt!: string | null;
  @ApiList(ListedAttempt, { required: false, description: 'With `attempts=true`, oldest first' })
  attempts?: ListedAttempt[];
}

export class EventsPage {
  @ApiList(ListedEvent, { description: 'Newest first' }) events!: ListedEvent[];
  @ApiNextCursor(
    'The cursor of the next page; null at the end. A page looks through a bounded number of events, so it may be short, or empty, before the end.',
  )
  nextCursor!: string | null;
}
