import type { PreparedEvent } from '../../src/event/prepare-event';
import { uuidV7 } from '../../src/event/uuid-v7';
import type { StoreResult } from '../../src/ingest/store/store-batch';
import { prepared } from './events';

/** Prepares one event several times: the same content and keys, each with its own id. */
export function twins(count: number, fields: Record<string, unknown> = {}, idempotencyKey?: string): PreparedEvent[] {
  const subject = `twin-${uuidV7()}`;
  return Array.from({ length: count }, () => prepared({ subject, ...fields }, { idempotencyKey }));
}

export const POISON_PAYLOAD = '{"open';

/** Returns a prepared event that PostgreSQL refuses to store. */
export function poison(event: PreparedEvent = prepared()): PreparedEvent {
  return { ...event, event: { ...event.event, payloadJson: POISON_PAYLOAD } };
}

/** Returns one word per result: accepted, duplicate, failed, or the code of the rejection. */
export function kinds(results: readonly StoreResult[]): string[] {
  return results.map((result) => (result.kind === 'rejected' ? result.rejection.code : result.kind));
}
