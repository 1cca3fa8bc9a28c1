import { DESTINATION_LIMITS, ON_POISON, ORDERINGS, type OnPoison, type Ordering } from '../../destinations/destination';
import { SEVERITIES, type Severity } from '../../destinations/operator/severity';
import { DELIVERY_FORMATS, type DeliveryFormat } from '../../destinations/render/delivery-format';
import { REASON_CODES } from '../../event/event-status';
import {
  ApiAnyObject,
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiObject,
  ApiRatio,
  ApiSecondsList,
  ApiText,
} from '../../http/docs/api-fields';
import type { ActiveHours } from '../../silence/active-hours';
import { QUIET_HOURS_EXAMPLE } from './operator-event-fields';

export const DESTINATION_STATUSES = ['active', 'paused', 'disabled'] as const;
export type DestinationStatus = (typeof DESTINATION_STATUSES)[number];

export class DestinationResponse {
  @ApiId() id!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('orders', { nullable: true }) uid!: string | null;
  @ApiText('https://shop.example/hooks/orders') url!: string;
  @ApiList(String, { example: ['order.*'] }) eventTypes!: readonly string[];
  @ApiFlag(true) enabled!: boolean;
  @ApiEnum('DestinationStatus', DESTINATION_STATUSES) status!: DestinationStatus;
  @ApiInstant({ nullable: true, description: 'Since when the destination is paused. Null when it is not' })
  pausedAt!: string | null;
  @ApiText(undefined, {
    nullable: true,
    description:
      'Why StreamForge disabled the destination, such as a 410 response. Null when it is enabled or an operator disabled it',
  })
  disabledReason!: string | null;
  @ApiInstant({ nullable: true, description: 'Since when the destination is disabled. Null when it is enabled' })
  disabledAt!: string | null;
  @ApiText('Order service of the shop') description!: string;
  @ApiAnyObject({ payload: { amount: { $gt: 100 } } }, { nullable: true }) filter!: object | null;
  @ApiText('{ "text": "Order " & subject }', { nullable: true }) transform!: string | null;
  @ApiEnum('DeliveryFormat', DELIVERY_FORMATS) format!: DeliveryFormat;
  @ApiAnyObject(
    { 'x-api-version': '…' },
    { nullable: true, description: 'The names, with the last characters of each value, or `…` for a short one' },
  )
  headers!: object | null;
  @ApiAnyObject(
    { type: 'bearer', token: '…x9Qa' },
    { nullable: true, description: 'The credentials, with the last characters of the secret, or `…` for a short one' },
  )
  auth!: object | null;
  @ApiSecondsList([5, 300, 1800], DESTINATION_LIMITS.retryWaits.maxSeconds, {
    nullable: true,
    description: 'Waits between the tries, in seconds',
  })
  retrySchedule!: readonly number[] | null;
  @ApiCount(5, { nullable: true }) ratePerSecond!: number | null;
  @ApiCount(10_000) timeoutMs!: number;
  @ApiCount(8) maxInFlight!: number;
  @ApiEnum('Ordering', ORDERINGS) ordering!: Ordering;
  @ApiEnum('OnPoison', ON_POISON, { description: 'Only for the ordering `key`' }) onPoison!: OnPoison;
  @ApiFlag(false) latestOnly!: boolean;
  @ApiEnum('ConditionSeverity', SEVERITIES, {
    nullable: true,
    description: 'Only operator events of this severity or above are delivered. Null: all',
  })
  minSeverity!: Severity | null;
  @ApiAnyObject(QUIET_HOURS_EXAMPLE, {
    nullable: true,
    description: 'In these hours only critical operator events are sent. Null: never',
  })
  quietHours!: ActiveHours | null;
  @ApiInstant({ nullable: true, description: 'Until this time, deliveries are also signed with the previous secret' })
  previousSecretUntil!: string | null;
  @ApiInstant() createdAt!: string;
  @ApiInstant() updatedAt!: string;
}

const CIRCUIT_STATES = ['closed', 'open', 'half-open'] as const;

class DestinationCircuit {
  @ApiEnum('CircuitState', CIRCUIT_STATES, { description: '`half-open`: the next delivery is a probe' })
  state!: (typeof CIRCUIT_STATES)[number];
  @ApiInstant({ nullable: true, description: 'Time of the next probe. Null while the circuit is closed' })
  openUntil!: string | null;
}

export class DestinationHealth {
  @ApiRatio(0.98, {
    nullable: true,
    description: 'Share of the attempts of the last hour that were successful. Null without attempts',
  })
  successRate!: number | null;
  @ApiCount(42, { nullable: true, description: 'Median duration of the successful attempts of the last hour' }) p50Ms!:
    number | null;
  @ApiCount(180, { nullable: true, description: '95th percentile of the same durations' }) p95Ms!: number | null;
  @ApiCount(3, { description: 'Number of open deliveries, up to 100000' }) backlog!: number;
  @ApiCount(0, { description: 'How many of them are PARKED: they wait for others of their key' }) parked!: number;
  @ApiInstant({ nullable: true, description: 'Time at which the oldest open delivery was recorded' }) oldest!:
    string | null;
  @ApiText('503 from the receiver', { nullable: true, description: 'The newest failure; null after a success' })
  lastError!: string | null;
  @ApiEnum('ReasonCode', REASON_CODES, { nullable: true }) lastReasonCode!: string | null;
  @ApiInstant({
    nullable: true,
    description: 'Time of the first failure since the last successful delivery. Null after a success',
  })
  failingSince!: string | null;
  @ApiObject(DestinationCircuit) circuit!: DestinationCircuit;
}

export class DestinationWithHealth extends DestinationResponse {
  @ApiObject(DestinationHealth) health!: DestinationHealth;
}

export class NewSecretResponse extends DestinationResponse {
  @ApiText('whsec_…', { description: 'The new signing secret. No other response contains it' }) secret!: string;
}

export class DestinationsPage {
  @ApiList(DestinationResponse, { description: 'Destinations, newest first' }) destinations!: DestinationResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}

class TestedRequestResponse {
  @ApiAnyObject(
    { 'content-type': 'application/json' },
    { description: 'The headers that describe the body. Credentials, signature and static headers are left out' },
  )
  headers!: object;
  @ApiText('{ "text": "Order order-1001" }', {
    nullable: true,
    description: 'The beginning of the body, at most 16 KB; null when it is not text',
  })
  bodyText!: string | null;
}

export class TestDeliveryResponse {
  @ApiFlag(true, { description: 'True when the destination responded with 2xx; false in a dry run' })
  delivered!: boolean;
  @ApiCount(204, { nullable: true, description: 'HTTP status of the response; null when there was none' }) status!:
    number | null;
  @ApiEnum('ReasonCode', REASON_CODES, {
    nullable: true,
    description:
      'Reason code that an attempt with this result would get; null when the event does not match, or was only made',
  })
  reasonCode!: string | null;
  @ApiFlag(true, {
    nullable: true,
    description: 'False when the stored event does not match `eventTypes` and `filter`. Null without an `eventId`',
  })
  matches!: boolean | null;
  @ApiText('', { description: 'The beginning of the response body, or the error when there was no response' })
  message!: string;
  @ApiCount(12) durationMs!: number;
  @ApiObject(TestedRequestResponse, {
    nullable: true,
    description: 'What was sent or, in a dry run, would be; null when nothing was',
  })
  request!: TestedRequestResponse | null;
}
