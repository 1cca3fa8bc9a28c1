import { DELIVERY_STATUSES, type DeliveryStatus } from '../../delivery-state/delivery';
import { REASON_CODES } from '../../event/event-status';
import {
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiText,
} from '../../http/docs/api-fields';
import { ApiErasedCount, BulkResponse } from '../endpoint/action-docs';

/** A delivery: one event for one destination. */
export class ListedDelivery {
  @ApiId({ description: "The event's id" }) id!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('sale-1001', { description: "The producer's id of the event; `id` if none was sent" }) eventId!: string;
  @ApiText('sale.completed') type!: string;
  @ApiText('order-1001') subject!: string;
  @ApiId() destinationId!: string;
  @ApiCount(1, {
    minimum: 1,
    description: 'Counts the deliveries of this event to this destination. A `reprocess` or a backfill makes a new one',
  })
  generation!: number;
  @ApiEnum('DeliveryStatus', DELIVERY_STATUSES) status!: DeliveryStatus;
  @ApiCount(3, { description: 'Number of attempts so far, including those before a retry by an operator' })
  attempts!: number;
  @ApiFlag(false, { description: 'True if the delivery failed because its retry schedule has ended' })
  exhausted!: boolean;
  @ApiEnum('ReasonCode', REASON_CODES, { nullable: true, description: 'Reason code of the newest attempt' })
  lastReasonCode!: string | null;
  @ApiCount(503, { nullable: true, description: 'HTTP status of the newest attempt; null if there was no response' })
  lastStatusCode!: number | null;
  @ApiInstant({ nullable: true, description: 'Time of the next try. Present in status RETRYING' })
  nextAttemptAt!: string | null;
  @ApiInstant({ nullable: true }) deliveredAt!: string | null;
}

export class DeliveriesPage {
  @ApiList(ListedDelivery, { description: 'The newest delivery of each event to each destination, newest event first' })
  deliveries!: ListedDelivery[];
  @ApiNextCursor(
    'Cursor of the next page; null on the last page. Each page scans a bounded number of deliveries, so a page may be short or empty although more deliveries follow.',
  )
  nextCursor!: string | null;
}

/** One request to a destination. */
export class DeliveryAttempt {
  @ApiCount(1, { minimum: 1 }) attemptNumber!: number;
  @ApiInstant() at!: string;
  @ApiEnum('ReasonCode', REASON_CODES) reasonCode!: string;
  @ApiCount(503, { nullable: true, description: 'HTTP status; null if there was no response' })
  statusCode!: number | null;
  @ApiCount(12) durationMs!: number;
  @ApiText('closed today', { nullable: true, description: 'The beginning of the response body, or the error' })
  responseExcerpt!: string | null;
}

export class DeliveryResponse extends ListedDelivery {
  @ApiList(DeliveryAttempt, { description: 'Attempts of this delivery, oldest first' }) attemptLog!: DeliveryAttempt[];
}

class DeliveriesChanged extends BulkResponse {
  @ApiCount(3, { description: 'Number of deliveries that match the filter, up to `limit`' }) matched!: number;
  @ApiCount(0, { description: 'Number of matched deliveries left unchanged' }) skipped!: number;
}

export class DeliveriesRetriedResponse extends DeliveriesChanged {
  @ApiCount(3) retried!: number;
  @ApiErasedCount() erased!: number;
}

export class DeliveriesDiscardedResponse extends DeliveriesChanged {
  @ApiCount(3) discarded!: number;
}
