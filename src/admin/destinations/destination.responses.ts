import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { SealedDestination } from '../../destinations/destination';

export class DestinationResponse {
  @ApiProperty({ example: '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a' })
  id!: string;

  @ApiProperty({ example: 'demo' })
  tenantId!: string;

  @ApiProperty({ example: 'https://shop.example/hooks/orders' })
  url!: string;

  @ApiProperty({ example: ['order.*'], type: [String] })
  eventTypes!: readonly string[];

  @ApiProperty()
  enabled!: boolean;

  @ApiProperty({ nullable: true, type: String, description: 'Why StreamForge switched it off, such as a 410' })
  disabledReason!: string | null;

  @ApiProperty()
  description!: string;

  @ApiProperty({ example: 10_000 })
  timeoutMs!: number;

  @ApiProperty({ example: 8 })
  maxInFlight!: number;

  @ApiProperty({ nullable: true, type: String, description: 'Until then the previous secret signs too' })
  previousSecretUntil!: string | null;

  @ApiProperty()
  createdAt!: string;

  @ApiProperty()
  updatedAt!: string;
}

export class NewSecretResponse extends DestinationResponse {
  @ApiProperty({ example: 'whsec_…', description: 'Shown this once' })
  secret!: string;
}

export class DestinationsPage {
  @ApiProperty({ type: [DestinationResponse] })
  destinations!: DestinationResponse[];

  @ApiProperty({ nullable: true, type: String, description: 'Null on the last page' })
  nextCursor!: string | null;
}

export class TestDeliveryResponse {
  @ApiProperty({ description: 'True when it was answered 2xx' })
  delivered!: boolean;

  @ApiPropertyOptional({ nullable: true, type: Number, example: 204 })
  status!: number | null;

  @ApiProperty({ example: 'PROCESSED', description: 'The reason code that an attempt would have' })
  reasonCode!: string;

  @ApiProperty({ description: 'The beginning of the response, or what went wrong' })
  message!: string;

  @ApiProperty({ example: 12 })
  durationMs!: number;
}

/** Without secrets. */
export function toAnswer(destination: SealedDestination): DestinationResponse {
  const { secret: _secret, previousSecret: _previous, revision: _revision, ...answer } = destination;
  return answer;
}
