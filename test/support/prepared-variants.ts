import type { PreparedEvent } from '../../src/event/prepare-event';
import { uuidV7 } from '../../src/event/uuid-v7';
import type { IngestResult } from '../../src/ingest/store/ingest-result';
import { prepared } from './events';

/** Preparations of one event: same content and keys, each with its own id. */
export function twins(count: number, fields: Record<string, unknown> = {}, idempotencyKey?: string): PreparedEvent[] {
  const subject = `twin-${uuidV7()}`;
  return Array.from({ length: count }, () => prepared({ subject, ...fields }, { idempotencyKey }));
}

export const POISON_PAYLOAD = '{"open';

/** An event that PostgreSQL refuses, though it was prepared. */
export function poison(event: PreparedEvent = prepared()): PreparedEvent {
  return { ...event, event: { ...event.event, payloadJson: POISON_PAYLOAD } };
}

/** One word each: accepted, duplicate or the code of the rejection. */
export function kinds(outcomes: readonly IngestResult[]): string[] {
  return outcomes.map((outcome) => (outcome.kind === 'rejected' ? outcome.rejection.code : outcome.kind));
}
