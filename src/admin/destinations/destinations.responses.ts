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
  @ApiText(undefined, { nullable: true, description: 'Why StreamForge switched it off, such as a 410' })
  disabledReason!: string | null;
  @ApiText('Order service of the shop') description!: string;
  @ApiCount(10_000) timeoutMs!: number;
  @ApiCount(8) maxInFlight!: number;
  @ApiInstant({ nullable: true, description: 'Until then the previous secret signs too' })
  previousSecretUntil!: string | null;
  @ApiInstant() createdAt!: string;
  @ApiInstant() updatedAt!: string;
}

export class NewSecretResponse extends DestinationResponse {
  @ApiText('whsec_…', { description: 'Shown this once' }) secret!: string;
}

export class DestinationsPage {
  @ApiList(DestinationResponse, { description: 'Newest first' }) destinations!: DestinationResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}

export class TestDeliveryResponse {
  @ApiFlag(true, { description: 'True when the response was 2xx' }) delivered!: boolean;
  @ApiCount(204, { nullable: true, description: 'The status of the response; null without one' }) status!:
    number | null;
  @ApiEnum('ReasonCode', REASON_CODES, { description: 'The reason code that an attempt would have' })
  reasonCode!: string;
  @ApiText('', { description: 'The beginning of the response, or what went wrong' }) message!: string;
  @ApiCount(12) durationMs!: number;
}

/** Without secrets. */
export function toResponse(destination: SealedDestination): DestinationResponse {
  const { secret: _secret, previousSecret: _previous, revision: _revision, ...shown } = destination;
  return shown;
}
