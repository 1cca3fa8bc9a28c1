import { validateEnvelope, type NormalisedEnvelope } from '../../../src/event/validate-envelope';
import type { ErrorDetail } from '../../../src/event/problems';

const MINIMAL = { eventType: 'order.paid', subject: 'order-1', payload: null };

function accepted(fields: Record<string, unknown> = {}): NormalisedEnvelope {
  const result = validateEnvelope({ ...MINIMAL, ...fields });
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return result.envelope;
}

function errors(value: unknown): ErrorDetail[] {
  const result = validateEnvelope(value);
  if ('envelope' in result) throw new Error('it was accepted');
  return result.errors;
}
const pointers = (value: unknown): string[] => errors(value).map(({ pointer }) => pointer);

/** The minimal envelope without one field. */
function without(name: keyof typeof MINIMAL, fields: Record<string, unknown> = {}): Record<string, unknown> {
  const { [name]: _left, ...rest } = MINIMAL;
  return { ...rest, ...fields };
}

describe('validateEnvelope', () => {
  it('fills in the defaults', () => {
    expect(accepted()).toEqual({
      eventId: undefined,
      type: 'order.paid',
      subject: 'order-1',
      partitionKey: 'order-1',
      occurredAt: undefined,
      source: 'api',
      schemaVersion: '1.0.0',
      specVersion: '1.0',
      correlationId: undefined,
    });
  });

  it('accepts the legacy names type and entityId', () => {
    expect(accepted({ eventType: undefined, type: 'legacy' }).type).toBe('legacy');
    expect(accepted({ subject: undefined, entityId: 'e-1' })).toMatchObject({ subject: 'e-1', partitionKey: 'e-1' });
  });

  it('prefers eventType and subject when both names are sent', () => {
    expect(accepted({ type: 'legacy', entityId: 'e-1' })).toMatchObject({ type: 'order.paid', subject: 'order-1' });
  });

  it.each([
    ['eventType', 255],
    ['type', 255],
    ['subject', 512],
    ['entityId', 512],
    ['eventId', 255],
    ['source', 512],
    ['schemaVersion', 64],
    ['specVersion', 64],
    ['partitionKey', 512],
  ])('accepts in %s 1 to %i characters, whatever their size in bytes', (name, max) => {
    accepted({ [name]: 'x' });
    accepted({ [name]: '😀'.repeat(max) });
    expect(pointers({ ...MINIMAL, [name]: '😀'.repeat(max + 1) })).toEqual([`/${name}`]);
    expect(pointers({ ...MINIMAL, [name]: '' })).toEqual([`/${name}`]);
  });

  it.each([[1], [null], [true], [['x']], [{}]])('rejects %j in a text field', (value) => {
    expect(pointers({ ...MINIMAL, eventId: value })).toEqual(['/eventId']);
  });

  it.each([null, 0, '', false, [], {}])('accepts the payload %j', (payload) => {
    accepted({ payload });
  });

  it('requires eventType, subject and payload', () => {
    expect(pointers(without('eventType'))).toEqual(['/eventType']);
    expect(pointers(without('subject'))).toEqual(['/subject']);
    expect(pointers(without('payload'))).toEqual(['/payload']);
  });

  it('reports every error at once', () => {
    expect(pointers({}).toSorted()).toEqual(['/eventType', '/payload', '/subject']);
    expect(pointers(without('subject', { eventId: 1, occurredAt: 'now', extra: 1 })).toSorted()).toEqual([
      '/eventId',
      '/extra',
      '/occurredAt',
      '/subject',
    ]);
  });

  it('rejects unknown fields, so that a typo is not silently dropped', () => {
    expect(errors({ ...MINIMAL, occuredAt: '2026-01-31T12:00:00Z' })).toMatchObject([
      { pointer: '/occuredAt', code: 'invalid-event' },
    ]);
    expect(pointers({ ...MINIMAL, 'a/b~c': 1 })).toEqual(['/a~1b~0c']);
    expect(pointers({ ...MINIMAL, tenantId: 'acme' })).toEqual(['/tenantId']);
  });

  it.each(['__proto__', 'constructor', 'toString'])('rejects %s like any other unknown field', (name) => {
    const value: unknown = JSON.parse(`{"eventType":"a","subject":"b","payload":null,"${name}":{}}`);
    expect(pointers(value)).toEqual([`/${name}`]);
  });

  it('says which field was probably meant', () => {
    expect(errors(without('eventType', { event_type: 'x' }))).toContainEqual({
      pointer: '/event_type',
      code: 'invalid-event',
      message: 'is not a field of the envelope; did you mean eventType?',
    });
  });

  it.each(['c', '!~"{}', 'x'.repeat(128)])('accepts the correlationId %j', (correlationId) => {
    expect(accepted({ correlationId }).correlationId).toBe(correlationId);
  });

  it.each(['', 'x'.repeat(129), 'a b', 'é', '\u{1f600}', 'a\tb', 'a\nb', '\u007f', 7, null])(
    'rejects the correlationId %j, as the header does',
    (correlationId) => {
      expect(errors({ ...MINIMAL, correlationId })[0]).toMatchObject({
        pointer: '/correlationId',
        code: 'invalid-event',
      });
    },
  );

  it('lists a bounded number of errors', () => {
    const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field${i}`, i]));
    expect(errors({ ...MINIMAL, ...unknown }).length).toBeLessThanOrEqual(100);
  });

  it('normalises occurredAt to UTC and rejects invalid instants', () => {
    expect(accepted({ occurredAt: '2026-01-31T13:00:00+01:00' }).occurredAt?.utc).toBe('2026-01-31T12:00:00.000Z');
    for (const occurredAt of ['now', 'infinity', '', '2026-02-30T00:00:00Z', '2026-01-31T23:59:60Z']) {
      expect(errors({ ...MINIMAL, occurredAt })).toMatchObject([{ pointer: '/occurredAt', code: 'invalid-event' }]);
    }
  });

  it.each([
    ['a line feed', 'a\nb'],
    ['NUL', 'a\0'],
    ['DEL', '\u007f'],
    ['a control of C1', '\u0085'],
    ['a lone surrogate', 'a\ud800'],
  ])('rejects %s within a text field', (_what, text) => {
    for (const name of ['eventType', 'type', 'subject', 'entityId', 'eventId', 'source', 'partitionKey']) {
      expect(errors({ ...MINIMAL, [name]: text })).toMatchObject([
        { pointer: `/${name}`, code: 'unsupported-character' },
      ]);
    }
  });

  it('accepts control characters in a payload', () => {
    accepted({ payload: 'a\nb\u007f' });
  });
});
