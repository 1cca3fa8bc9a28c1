import { prepareStructured } from '../../../src/event/cloud-event/prepare-cloud-event';
import { prepareEvent, type RecordRejection } from '../../../src/event/prepare-event';
import { MAX_TEXT_LENGTH, shortText } from '../../../src/event/short-error';
import { newRejection } from '../../../src/ingest/rejected/rejected-record';
import { rejectionBytes } from '../../../src/rejections/rejection-queue';

const RULES = {
  MAX_EVENT_BYTES: 2_000_000,
  DEDUPE_STRATEGY: 'event-id-then-hash' as const,
  DEDUPE_INCLUDE_EVENT_ID: false,
  DEDUPE_INCLUDE_OCCURRED_AT: false,
};
const CONTEXT = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };
const LONG = 'n'.repeat(250_000);

type Prepare = typeof prepareEvent | typeof prepareStructured;

function rejectionOf(prepare: Prepare, event: object): RecordRejection {
  const made = prepare(Buffer.from(JSON.stringify(event)), CONTEXT, RULES as never);
  if ('prepared' in made) throw new Error('it was accepted');
  return made.rejection;
}

const lengthsOf = ({ message, errors }: RecordRejection): number[] => [
  message.length,
  ...errors.flatMap((error) => [error.pointer.length, error.message.length]),
];

describe('the errors of an event', () => {
  it.each<[string, Prepare, object]>([
    ['a field with a long name', prepareEvent, { eventType: 'a.b', subject: 's', payload: 1, [LONG]: 1 }],
    ['a CloudEvent extension with a long name', prepareStructured, { ...ofCloudEvent(), [LONG]: '\0' }],
  ])('are short for %s', (_, prepare, event) => {
    const rejection = rejectionOf(prepare, event);
    expect(Math.max(...lengthsOf(rejection))).toBe(MAX_TEXT_LENGTH);
    const request = { endpoint: 'event', format: 'event', contentType: null, requestJson: null } as const;
    const long = { ...rejection, message: LONG, errors: [{ pointer: LONG, code: rejection.code, message: LONG }] };
    const record = { number: null, rejection: long, bytes: Buffer.alloc(10), eventType: null };
    const kept = newRejection(record, CONTEXT, request);
    expect([kept.pointer?.length, kept.message.length]).toEqual([MAX_TEXT_LENGTH, MAX_TEXT_LENGTH]);
    expect(rejectionBytes(kept)).toBe(10 + 2 * MAX_TEXT_LENGTH);
  });

  it('are at most 20 for a CloudEvent with many wrong extensions', () => {
    const wrong = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`x${i}`, '\0']));
    expect(rejectionOf(prepareStructured, { ...ofCloudEvent(), ...wrong }).errors).toHaveLength(20);
  });
});

describe('shortText', () => {
  it('cuts no surrogate pair', () => {
    expect(shortText('x'.repeat(MAX_TEXT_LENGTH))).toBe('x'.repeat(MAX_TEXT_LENGTH));
    for (const start of ['', 'x']) {
      const short = shortText(start + '\u{1f600}'.repeat(MAX_TEXT_LENGTH));
      expect([short.isWellFormed(), short.endsWith('…'), short.length <= MAX_TEXT_LENGTH]).toEqual([true, true, true]);
    }
  });
});

function ofCloudEvent(): object {
  return { specversion: '1.0', id: '1', source: '/s', type: 'a.b', data: 1 };
}
