import type { LeasedDelivery, SentEvent } from '../delivery-state/claim-deliveries.queries';
import type { EndedAttempt } from '../delivery-state/settle-deliveries.queries';
import { withoutSecrets } from '../observability/log-format';
import type { ClassifiedAnswer } from './decide/classify-answer';
import type { DeliveryLine, RecordedHealth } from './delivery-line';
import type { AfterAttempt } from './decide/retry-schedule';

const MOST_ERROR_LENGTH = 1_000;
const MOST_EXCERPT_LENGTH = 1_000;

/** A delivery whose event is no longer needed: many may wait to be settled, and no limit counts their bytes. */
export type SentDelivery = Omit<LeasedDelivery, 'event'> & {
  event: Pick<SentEvent, 'tenantId' | 'receivedAt' | 'correlationId'>;
};

export function withoutBody(delivery: LeasedDelivery): SentDelivery {
  const { eventId, destinationId, generation, lease, attempts, tries, ageSeconds, probes } = delivery;
  const { tenantId, receivedAt, correlationId } = delivery.event;
  const event = { tenantId, receivedAt, correlationId };
  return { eventId, destinationId, generation, lease, attempts, tries, ageSeconds, probes, event };
}

/** The end of a request, which is to be settled. */
export interface AttemptOutcome {
  line: DeliveryLine;
  delivery: SentDelivery;
  answer: ClassifiedAnswer;
  next: AfterAttempt;
  durationMs: number;
  /** The time of day in ms since 1970. */
  endedAtMs: number;
  /** How long the delivery had been open by then, in ms. */
  openMs: number;
  health: RecordedHealth;
}

/** A delivery that is given back without an attempt. */
export interface ReleasedDelivery {
  line: DeliveryLine;
  delivery: SentDelivery;
  waitSeconds: number;
}

export function endedAttempt({ delivery, answer, next, durationMs }: AttemptOutcome): EndedAttempt {
  const { eventId, destinationId, generation, lease } = delivery;
  return {
    eventId,
    destinationId,
    generation,
    lease,
    status: next.kind === 'delivered' ? 'DELIVERED' : next.kind === 'failed' ? 'FAILED' : 'OPEN',
    usesTry: next.kind !== 'retry' || next.usesTry,
    exhausted: next.kind === 'failed' && next.exhausted,
    waitSeconds: next.kind === 'retry' ? next.waitSeconds : 0,
    reasonCode: answer.reasonCode,
    statusCode: answer.statusCode,
    error: answer.message === '' ? null : masked(answer.message, MOST_ERROR_LENGTH),
    durationMs: Math.round(durationMs),
    responseExcerpt: answer.text === '' ? null : masked(answer.text, MOST_EXCERPT_LENGTH),
  };
}

/** Redacts what looks like a secret, and replaces what PostgreSQL cannot store. */
const masked = (text: string, most: number): string =>
  withoutSecrets(text.slice(0, most * 2))
    .slice(0, most)
    .replaceAll('\0', ' ')
    .toWellFormed();
