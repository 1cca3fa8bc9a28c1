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

class DeadLetterReason {
  @ApiEnum('ReasonCode', REASON_CODES) reasonCode!: string;
  @ApiText('answered <n> for <id>', { description: 'Without what differs from event to event' }) errorMessage!: string;
  @ApiCount(3) count!: number;
  @ApiInstant() firstSeenAt!: string;
  @ApiInstant() lastSeenAt!: string;
  @ApiList(String, { description: 'Ids of some of the newest' }) sampleEventIds!: string[];
}

export class DeadLetterReasonsResponse {
  @ApiList(DeadLetterReason) reasons!: DeadLetterReason[];
  @ApiCount(3, { description: 'Dead letters in all groups' }) total!: number;
  @ApiFlag(false, { description: 'True when only the newest 50000 dead letters were counted' }) capped!: boolean;
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
  @ApiInstant() firstFailedAt!: string;
  @ApiInstant() lastFailedAt!: string;
}

export class DeadLettersPage {
  @ApiList(DeadLetterResponse) deadLetters!: DeadLetterResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}

/** What every bulk change responds with. */
class BulkResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiCount(3, { description: 'Events that the filter names, up to the limit' }) matched!: number;
  @ApiCount(0, { description: 'Matched, but moved on meanwhile or waiting in a replay' }) skipped!: number;
  @ApiFlag(false) dryRun!: boolean;
  @ApiText('c-1') correlationId!: string;
}

export class RetryResponse extends BulkResponse {
  @ApiCount(3) retried!: number;
}

export class DiscardResponse extends BulkResponse {
  @ApiCount(3) discarded!: number;
}
