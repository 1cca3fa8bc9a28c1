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

class DeadLetterReason {
  @ApiText('7a3c0f2f5f4b3c1d8e9a6b5c4d3e2f10', { description: 'Selects these dead letters as `group` of a filter' })
  id!: string;
  @ApiEnum('ReasonCode', REASON_CODES) reasonCode!: string;
  @ApiId({ nullable: true, description: 'The destination whose deliveries failed; null if handlers failed' })
  destinationId!: string | null;
  @ApiText('<n> from destination <id>', {
    description: 'Error message with `<n>`, `<hex>` and `<id>` in place of numbers and ids',
  })
  errorMessage!: string;
  @ApiCount(3) count!: number;
  @ApiCount(2, { description: 'Number of them that failed, or failed again, within the last hour' }) lastHour!: number;
  @ApiCount(1, { description: 'Number of them whose newest failure was in the hour before' }) hourBefore!: number;
  @ApiInstant() firstSeenAt!: string;
  @ApiInstant() lastSeenAt!: string;
  @ApiList(String, { description: 'Ids of up to 5 of the newest events' }) sampleEventIds!: string[];
}

export class DeadLetterReasonsResponse {
  @ApiList(DeadLetterReason) reasons!: DeadLetterReason[];
  @ApiCount(3, { description: 'Sum of the counts of all groups, including those beyond `limit`' }) total!: number;
  @ApiFlag(false, { description: 'True when the count stopped at the newest 20000 dead letters' }) capped!: boolean;
}

class DeadLetterResponse {
  @ApiId() id!: string;
  @ApiText('sale-1001') eventId!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('sale.completed') type!: string;
  @ApiText('order-1001') subject!: string;
  @ApiInstant() receivedAt!: string;
  @ApiEnum('ReasonCode', REASON_CODES) reasonCode!: string;
  @ApiText(undefined, { nullable: true }) errorMessage!: string | null;
  @ApiCount(5) attempts!: number;
  @ApiFlag(true, { description: 'True when no attempt was left. The reason code is then that of the last failure' })
  exhausted!: boolean;
  @ApiList(String, {
    description:
      'The destinations whose deliveries failed; the reason, the message and the attempts are those of the last ' +
      'failure. Empty if handlers failed',
  })
  destinationIds!: string[];
  @ApiInstant() firstFailedAt!: string;
  @ApiInstant() lastFailedAt!: string;
}

export class DeadLettersPage {
  @ApiList(DeadLetterResponse) deadLetters!: DeadLetterResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}

class DeadLettersChanged extends BulkResponse {
  @ApiCount(3, { description: 'Number of events that match the filter, up to `limit`' }) matched!: number;
  @ApiCount(0, {
    description:
      'Number of matched events left unchanged, because their status has changed or they are pending in a replay',
  })
  skipped!: number;
}

export class RetryResponse extends DeadLettersChanged {
  @ApiCount(3) retried!: number;
  @ApiErasedCount() erased!: number;
}

export class DiscardResponse extends DeadLettersChanged {
  @ApiCount(3) discarded!: number;
}
