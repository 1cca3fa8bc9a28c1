import { OmitType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../delivery-state/delivery';
import { REASON_CODES } from '../../event/event-status';
import { ApiCount, ApiEnum, ApiId, ApiText } from '../../http/docs/api-fields';
import { IsCursor } from '../endpoint/paging';
import { IsPlainText, IsUuid, IsUuidText, MayBeLeftOut } from '../endpoint/rules';
import { BulkRequest } from '../events/bulk-request';
import { EventPageQuery, STATUS_CLASSES, type StatusClass } from '../events/event-filter';

/** Fields of an event's filter that mean something else for a delivery. */
const OF_EVENTS = ['status', 'destinationId', 'reasonCode', 'statusClass', 'group'] as const;

const OneDestination = (): PropertyDecorator => (target, name) => {
  ApiId({ required: false, example: undefined, description: 'Only deliveries to this destination' })(target, name);
  MayBeLeftOut()(target, name);
  IsUuidText()(target, name);
};
const OneReason = (): PropertyDecorator => (target, name) => {
  const description =
    'Reason code of the newest attempt. RETRY_EXHAUSTED matches deliveries whose retry schedule has ended';
  ApiEnum('ReasonCode', REASON_CODES, { required: false, description })(target, name);
  MayBeLeftOut()(target, name);
  IsIn(REASON_CODES)(target, name);
};
const OneStatusClass = (): PropertyDecorator => (target, name) => {
  const description = 'HTTP status class of the newest attempt; `none` if there was no response';
  ApiEnum('StatusClass', STATUS_CLASSES, { required: false, description })(target, name);
  MayBeLeftOut()(target, name);
  IsIn(STATUS_CLASSES)(target, name);
};
const OneGroup = (): PropertyDecorator => (target, name) => {
  const description = 'Id of a group from `GET /v1/admin/dlq/reasons`: only deliveries with the cause of this group';
  ApiText(undefined, { required: false, description, minLength: 1, maxLength: 64 })(target, name);
  MayBeLeftOut()(target, name);
  IsPlainText(64)(target, name);
};
const OneStatus =
  (of: readonly DeliveryStatus[], enumName: string, description: string): PropertyDecorator =>
  (target, name) => {
    ApiEnum(enumName, of, { required: false, description })(target, name);
    MayBeLeftOut()(target, name);
    IsIn(of)(target, name);
  };

/** Selects one page of deliveries. */
export class DeliveriesQuery extends OmitType(EventPageQuery, [...OF_EVENTS, 'cursor']) {
  @OneDestination() destinationId?: string;
  @OneReason() reasonCode?: string;
  @OneStatusClass() statusClass?: StatusClass;
  @OneGroup() group?: string;
  @OneStatus(DELIVERY_STATUSES, 'DeliveryStatus', 'Current status') status?: DeliveryStatus;

  @IsCursor(200)
  cursor?: string;
}

class DeliveryBulkRequest extends OmitType(BulkRequest, OF_EVENTS) {
  @OneDestination() destinationId?: string;
  @OneReason() reasonCode?: string;
  @OneStatusClass() statusClass?: StatusClass;
  @OneGroup() group?: string;
}

export const RETRIED_STATUSES = ['FAILED', 'DISCARDED', 'RETRYING'] as const satisfies DeliveryStatus[];
export const DISCARDED_STATUSES = ['FAILED', 'PENDING', 'RETRYING', 'PARKED'] as const satisfies DeliveryStatus[];

export class RetryDeliveriesRequest extends DeliveryBulkRequest {
  @OneStatus(
    RETRIED_STATUSES,
    'RetriedDeliveryStatus',
    'Status of the deliveries to retry. RETRYING ones, which wait for their next try, become due. Default: FAILED',
  )
  status?: (typeof RETRIED_STATUSES)[number];
}

export class DiscardDeliveriesRequest extends DeliveryBulkRequest {
  @OneStatus(DISCARDED_STATUSES, 'DiscardedDeliveryStatus', 'Status of the deliveries to discard. Default: FAILED')
  status?: (typeof DISCARDED_STATUSES)[number];
}

export class DeliveryPath {
  @ApiId({ description: "The event's id" })
  @IsUuid()
  id!: string;

  @ApiId()
  @IsUuid()
  destinationId!: string;
}

const MOST_GENERATION = 2_147_483_647;

export class DeliveryQuery {
  @ApiCount(1, {
    required: false,
    minimum: 1,
    maximum: MOST_GENERATION,
    description: 'Generation of the delivery. Default: the newest',
  })
  @MayBeLeftOut()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^[0-9]{1,10}$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(MOST_GENERATION)
  generation?: number;
}
