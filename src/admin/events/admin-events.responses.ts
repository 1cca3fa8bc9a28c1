import { EVENT_STATUSES, type EventStatus } from '../../event/event-status';
import { ApiCount, ApiEnum, ApiId, ApiInstant, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';
import { AttemptResponse } from '../../http/docs/attempt.response';

export class ListedAttempt extends AttemptResponse {
  @ApiCount(1, {
    minimum: 1,
    description: 'Generation of the event at this attempt: 1, plus one for each earlier replay with mode `reprocess`',
  })
  generation!: number;
}

/** An event in a list, without its payload. GET /v1/events/{id} returns the payload. */
export class ListedEvent {
  @ApiId() id!: string;
  @ApiText('sale-1001', {
    description: "The producer's id of the event; `id` if none was sent",
  })
  eventId!: string;
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
  @ApiList(ListedAttempt, { required: false, description: 'Present with `attempts=true`. Oldest first' })
  attempts?: ListedAttempt[];
}

export class EventsPage {
  @ApiList(ListedEvent, { description: 'Events, newest first' }) events!: ListedEvent[];
  @ApiNextCursor(
    'Cursor of the next page; null on the last page. Each page scans a bounded number of events, so a page may be short or empty although more events follow.',
  )
  nextCursor!: string | null;
}
