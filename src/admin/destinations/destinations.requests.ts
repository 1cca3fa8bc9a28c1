import { applyDecorators } from '@nestjs/common';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { DESTINATION_LIMITS } from '../../destinations/destination';
import { DELIVERY_FORMATS, type DeliveryFormat } from '../../destinations/render/delivery-format';
import { STATIC_HEADER_LIMITS } from '../../destinations/render/static-headers';
import type { DestinationAuth } from '../../destinations/auth/destination-auth';
import { MAX_EXPRESSION_LENGTH } from '../../expressions/expression';
import {
  ApiAnyObject,
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiList,
  ApiSecondsList,
  ApiText,
} from '../../http/docs/api-fields';
import { OptionalBody } from '../../http/validation';
import { IsListLimit } from '../endpoint/paging';
import { IsPlainText, IsTenantId, IsUuid, MayBeLeftOut, MayBeNull, OneTenant } from '../endpoint/rules';
import { OperatorEventFields } from './operator-event-fields';

const { timeoutMs: TIMEOUT, maxInFlight: IN_FLIGHT, retryWaits: RETRY_WAITS, ratePerSecond: RATE } = DESTINATION_LIMITS;
/** No control characters or lone surrogates; `*` only at the end. */
const TYPE_PATTERN = /^(?:[^\p{Cc}\p{Cs}*]{1,254}\*?|\*)$/u;
const MOST_PATTERNS = 50;
const MOST_URL = 2_048;
/** 24 to 64 bytes in base64, with padding. */
export const SECRET = /^whsec_(?=[^=]{32,86}={0,2}$)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
export const SECRET_MESSAGE = { message: 'secret must be whsec_ and 24 to 64 bytes in base64' };
const UID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const UID_MESSAGE = {
  message: 'uid must be 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit',
};

/** How an operator gives the signing secret. */
export const ApiSecret = (): PropertyDecorator =>
  ApiText('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    required: false,
    description:
      'A signing secret of your own: `whsec_` and 24 to 64 bytes in base64. Default: StreamForge generates one',
    minLength: 38,
    maxLength: 94,
  });

/** A filter over the normalised event. */
const IsFilter = (description: string): PropertyDecorator =>
  applyDecorators(
    IsObject(),
    MayBeNull(),
    ApiAnyObject({ payload: { amount: { $gt: 100 } } }, { required: false, nullable: true, description }),
  );

/** JSONata or a JSON Pointer over the normalised event. */
const IsTransform = (description: string): PropertyDecorator =>
  applyDecorators(
    IsPlainText(MAX_EXPRESSION_LENGTH),
    MayBeNull(),
    ApiText('{ "text": "Order " & subject & ": " & $string(payload.amount) }', {
      ...{ required: false, nullable: true, description },
      ...{ minLength: 1, maxLength: MAX_EXPRESSION_LENGTH },
    }),
  );

class DestinationFields extends OperatorEventFields {
  @ApiList(String, {
    required: false,
    example: ['order.*'],
    description: 'Event types, or prefixes that end with `*`. A new destination defaults to `["*"]`, all types',
    minItems: 1,
    maxItems: MOST_PATTERNS,
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_PATTERNS)
  @IsString({ each: true })
  @Matches(TYPE_PATTERN, {
    each: true,
    message: 'each of eventTypes must be an event type, or a prefix that ends with *',
  })
  eventTypes?: string[];

  @ApiFlag(true, { required: false })
  @MayBeLeftOut()
  @IsBoolean()
  enabled?: boolean;

  @ApiText('Order service of the shop', { required: false, maxLength: 500 })
  @MayBeLeftOut()
  @IsPlainText(500, { min: 0 })
  description?: string;

  @IsFilter('Only events that match are delivered. The filter sees the normalised event. Null: no filter')
  filter?: Record<string, unknown> | null;

  @IsTransform(
    'JSONata or a JSON Pointer over the normalised event. The result takes the place of the event or, with another ' +
      '`format`, of its payload. Null: no transform',
  )
  transform?: string | null;

  @ApiEnum('DeliveryFormat', DELIVERY_FORMATS, {
    required: false,
    description:
      'The body: the normalised event, a CloudEvent in structured or binary mode, or the payload alone; for the ' +
      'tenant `streamforge` also a message to Slack, Teams or PagerDuty. Default: `event`',
  })
  @MayBeLeftOut()
  @IsIn(DELIVERY_FORMATS)
  format?: DeliveryFormat;

  @ApiAnyObject(
    { 'x-api-version': '2' },
    {
      required: false,
      nullable: true,
      description: `Headers that each delivery has, at most ${STATIC_HEADER_LIMITS.count}. They are stored encrypted. Null: none`,
    },
  )
  @MayBeNull()
  @IsObject()
  headers?: Record<string, string> | null;

  @ApiAnyObject(
    { type: 'bearer', token: 'token-of-the-receiver' },
    {
      required: false,
      nullable: true,
      description:
        'How StreamForge authenticates itself: `{ type: "bearer", token }`, `{ type: "basic", username, password }`, ' +
        '`{ type: "header", name, value }`, or `{ type: "oauth2", tokenUrl, clientId, clientSecret, scope? }`. Null: by ' +
        'the signature alone',
    },
  )
  @MayBeNull()
  @IsObject()
  auth?: DestinationAuth | null;

  @ApiSecondsList([5, 300, 1800], RETRY_WAITS.maxSeconds, {
    required: false,
    nullable: true,
    description:
      'Waits between the tries of a delivery, in seconds. Null: those of the installation ' +
      '(`DELIVERY_RETRY_SCHEDULE_SECONDS`)',
    maxItems: RETRY_WAITS.most,
  })
  @MayBeNull()
  @IsArray()
  @ArrayMaxSize(RETRY_WAITS.most)
  @IsNumber({}, { each: true })
  @Min(0, { each: true })
  @Max(RETRY_WAITS.maxSeconds, { each: true })
  retrySchedule?: number[] | null;

  @ApiCount(5, {
    required: false,
    nullable: true,
    description: 'Maximum number of deliveries a second, of all workers together. Null: no maximum',
    minimum: RATE.min,
    maximum: RATE.max,
  })
  @MayBeNull()
  @IsInt()
  @Min(RATE.min)
  @Max(RATE.max)
  ratePerSecond?: number | null;

  @ApiCount(TIMEOUT.default, {
    required: false,
    description: 'Timeout of one delivery request in milliseconds. A new destination defaults to 10000',
    minimum: TIMEOUT.min,
    maximum: TIMEOUT.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(TIMEOUT.min)
  @Max(TIMEOUT.max)
  timeoutMs?: number;

  @ApiCount(IN_FLIGHT.default, {
    required: false,
    description: 'Maximum number of concurrent requests, of all workers together. A new destination defaults to 8',
    minimum: IN_FLIGHT.min,
    maximum: IN_FLIGHT.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(IN_FLIGHT.min)
  @Max(IN_FLIGHT.max)
  maxInFlight?: number;
}

/** The fields of a destination as a whole. */
export class DestinationByUidRequest extends DestinationFields {
  @ApiText('demo')
  @IsTenantId()
  tenantId!: string;

  @ApiText('https://shop.example/hooks/orders', { minLength: 1, maxLength: MOST_URL })
  @IsString()
  @Length(1, MOST_URL)
  url!: string;

  @ApiSecret()
  @MayBeLeftOut()
  @Matches(SECRET, SECRET_MESSAGE)
  secret?: string;
}

export class DestinationRequest extends DestinationByUidRequest {
  @ApiText('orders', {
    required: false,
    description:
      'A name of your own, unique within the tenant. PUT /v1/admin/destinations/uid/{uid} finds the destination by it',
    minLength: 1,
    maxLength: 128,
  })
  @MayBeLeftOut()
  @Matches(UID, UID_MESSAGE)
  uid?: string;
}

/** Omitted fields keep their values. Tenant and uid cannot be changed, and the secret only by a rotation. */
export class DestinationChangeRequest extends DestinationFields {
  @ApiText('https://shop.example/hooks/orders', { required: false, minLength: 1, maxLength: MOST_URL })
  @MayBeLeftOut()
  @IsString()
  @Length(1, MOST_URL)
  url?: string;
}

export class DestinationsQuery {
  @OneTenant('Only destinations of this tenant')
  tenantId?: string;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @ApiId({ required: false, example: undefined, description: '`nextCursor` of the previous page' })
  @MayBeLeftOut()
  @IsUuid()
  cursor?: string;
}

export class DestinationPath {
  @ApiId()
  @IsUuid()
  id!: string;
}

export class DestinationUidPath {
  @ApiText('orders')
  @Matches(UID, UID_MESSAGE)
  uid!: string;
}

@OptionalBody()
export class TestDestinationRequest {
  @ApiText('paid-1', {
    required: false,
    description:
      "Id of a stored event of the tenant, or the producer's eventId. It is sent as it would be delivered. Left out: a " +
      'made-up event is sent',
    minLength: 1,
    maxLength: 255,
  })
  @MayBeLeftOut()
  @IsPlainText(255)
  eventId?: string;

  @IsFilter('A filter to try, in place of that of the destination, which keeps its own. Null: no filter')
  filter?: Record<string, unknown> | null;

  @IsTransform('A transform to try, in place of that of the destination, which keeps its own. Null: no transform')
  transform?: string | null;

  @ApiFlag(false, {
    required: false,
    description: 'Whether to only make the request, and not send it. Default: false',
  })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;
}
