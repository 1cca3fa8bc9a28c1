import type { SealedDestination } from '../../destinations/destination';
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

export class DestinationResponse {
  @ApiId() id!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('https://shop.example/hooks/orders') url!: string;
  @ApiList(String, { example: ['order.*'] }) eventTypes!: readonly string[];
  @ApiFlag(true) enabled!: boolean;
  @ApiText(undefined, {
    nullable: true,
    description:
      'Why StreamForge disabled the destination, such as a 410 response. Null when it is enabled or an operator disabled it',
  })
  disabledReason!: string | null;
  @ApiInstant({ nullable: true, description: 'Since when the destination is disabled. Null when it is enabled' })
  disabledAt!: string | null;
  @ApiText('Order service of the shop') description!: string;
  @ApiCount(10_000) timeoutMs!: number;
  @ApiCount(8) maxInFlight!: number;
  @ApiInstant({ nullable: true, description: 'Until this time, deliveries are also signed with the previous secret' })
  previousSecretUntil!: string | null;
  @ApiInstant() createdAt!: string;
  @ApiInstant() updatedAt!: string;
}

export class NewSecretResponse extends DestinationResponse {
  @ApiText('whsec_…', { description: 'The new signing secret. No other response contains it' }) secret!: string;
}

export class DestinationsPage {
  @ApiList(DestinationResponse, { description: 'Destinations, newest first' }) destinations!: DestinationResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}

export class TestDeliveryResponse {
  @ApiFlag(true, { description: 'True when the destination responded with 2xx' }) delivered!: boolean;
  @ApiCount(204, { nullable: true, description: 'HTTP status of the response; null when there was none' }) status!:
    number | null;
  @ApiEnum('ReasonCode', REASON_CODES, { description: 'Reason code that an attempt with this result would get' })
  reasonCode!: string;
  @ApiText('', { description: 'The beginning of the response body, or the error when there was no response' })
  message!: string;
  @ApiCount(12) durationMs!: number;
}

/** Omits the secrets and the revision. */
export function toResponse(destination: SealedDestination): DestinationResponse {
  const { secret: _secret, previousSecret: _previous, revision: _revision, ...shown } = destination;
  return shown;
}
