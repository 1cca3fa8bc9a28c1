import {
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiObject,
  ApiSeconds,
  ApiText,
} from '../../http/docs/api-fields';

class OutboxStates {
  @ApiCount(0) PENDING!: number;
  @ApiCount(0) IN_FLIGHT!: number;
  @ApiCount(0) FAILED!: number;
}

class FailedOutboxEntry {
  @ApiText('4711') id!: string;
  @ApiId({ description: 'Id of the event' }) eventId!: string;
  @ApiEnum('OutboxDestination', ['main', 'retry', 'dlq']) destination!: 'main' | 'retry' | 'dlq';
  @ApiCount(1) dispatchNo!: number;
  @ApiCount(1) attempts!: number;
  @ApiText('the broker did not answer', { nullable: true }) lastError!: string | null;
  @ApiInstant() createdAt!: string;
  @ApiInstant() closedAt!: string;
}

export class OutboxResponse {
  @ApiObject(OutboxStates) states!: OutboxStates;
  @ApiCount(100_000, { description: 'Each count stops at this number; a count that equals it may be higher' })
  countedUpTo!: number;
  @ApiSeconds(0.4, { nullable: true, description: 'Age of the oldest open entry in seconds; null when none is open' })
  oldestPendingSeconds!: number | null;
  @ApiList(FailedOutboxEntry, { description: 'The newest 100 FAILED entries' }) failed!: FailedOutboxEntry[];
}

export class OutboxRetryResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiId({ description: 'Id for GET /v1/admin/actions/{actionId}' }) actionId!: string;
  @ApiCount(2) matched!: number;
  @ApiCount(2) requeued!: number;
  @ApiCount(0, { description: 'Number of given ids that were not FAILED' }) skipped!: number;
  @ApiText('c-1') correlationId!: string;
}
