import type { PlannedEvent } from './planned-event';
import type { SeededRandom } from './random';

/** A record that must be rejected with this code and never stored. */
export interface BrokenRecord {
  name: string;
  text: string;
  code: string;
  /** HTTP status of a request with this record alone. */
  status: number;
  /** Idempotency key of a request with this record alone. */
  key: string | undefined;
}

/** MAX_EVENT_BYTES of the run. */
export const MOST_EVENT_BYTES = 16_384;

interface Kind {
  code: string;
  status: number;
  /** @param name becomes the subject, so that the record can be found if it was stored */
  text: (name: string) => string;
}

const INVALID = { code: 'invalid-event', status: 400 };
const MALFORMED = { code: 'malformed-body', status: 400 };

/** Each text is also valid as one line of NDJSON. */
const KINDS: readonly Kind[] = [
  { ...MALFORMED, text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":{` },
  { ...MALFORMED, text: (name) => `not JSON ${name}` },
  { ...INVALID, text: (name) => `{"subject":"${name}","payload":1}` },
  { ...INVALID, text: (name) => `{"eventType":"order.paid","subject":"${name}"}` },
  { ...INVALID, text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":1,"paylaod":2}` },
  { ...INVALID, text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":1,"occurredAt":"now"}` },
  {
    ...INVALID,
    text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":1,"occurredAt":"2026-02-30T00:00:00Z"}`,
  },
  { ...INVALID, text: (name) => `"${name}"` },
  {
    ...INVALID,
    text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":${'['.repeat(70)}${']'.repeat(70)}}`,
  },
  {
    code: 'unsupported-character',
    status: 400,
    text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":"\\u0000"}`,
  },
  {
    code: 'unsupported-character',
    status: 400,
    text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":["\\ud800"]}`,
  },
  {
    code: 'event-too-large',
    status: 413,
    text: (name) => `{"eventType":"order.paid","subject":"${name}","payload":"${'x'.repeat(MOST_EVENT_BYTES)}"}`,
  },
];

export function brokenRecord(random: SeededRandom, name: string): BrokenRecord {
  const { code, status, text } = random.pick(KINDS);
  return { name, text: text(name), code, status, key: undefined };
}

/** Different content under the idempotency key or eventId of an event that was accepted before. */
export function conflictWith(event: PlannedEvent, name: string): BrokenRecord {
  const body = { eventType: 'order.paid', subject: name, payload: `other content than ${event.name}` };
  if (event.identity === 'event-id') {
    const text = JSON.stringify({ eventId: event.name, ...body });
    return { name, text, code: 'event-id-conflict', status: 409, key: undefined };
  }
  return { name, text: JSON.stringify(body), code: 'idempotency-key-reused', status: 422, key: `key-${event.name}` };
}
