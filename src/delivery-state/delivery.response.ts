import { DELIVERY_STATUSES, type DeliveryStatus } from './delivery';
import { REASON_CODES } from '../event/event-status';
import { ApiCount, ApiEnum, ApiFlag, ApiId, ApiInstant } from '../http/docs/api-fields';

/** The newest delivery of an event to one destination. */
export class DeliveryOfEventResponse {
  @ApiId() destinationId!: string;
  @ApiCount(1, {
    minimum: 1,
    description: 'Counts the deliveries of the event to this destination. `reprocess` and backfills make new ones',
  })
  generation!: number;
  @ApiEnum('DeliveryStatus', DELIVERY_STATUSES) status!: DeliveryStatus;
  @ApiCount(1, { description: 'Number of attempts so far, including those before a retry by an operator' })
  attempts!: number;
  @ApiFlag(false, { description: 'True when the delivery failed because its retry schedule ended' })
  exhausted!: boolean;
  @ApiEnum('ReasonCode', REASON_CODES, { nullable: true, description: 'Reason code of the newest attempt' })
  lastReasonCode!: string | null;
  @ApiCount(200, { nullable: true, description: 'HTTP status of the newest response, if there was one' })
  lastStatusCode!: number | null;
  @ApiInstant({ nullable: true }) nextAttemptAt!: string | null;
  @ApiInstant({ nullable: true }) deliveredAt!: string | null;
}
