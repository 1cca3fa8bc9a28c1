import { didYouMean } from '../../../src/event/did-you-mean';
import { unknownField } from '../../../src/event/envelope-names';
import { ENVELOPE_SCHEMA } from '../../../src/event/envelope-schema';

const FIELDS = ['eventType', 'subject', 'payload', 'occurredAt', 'id'];

describe('didYouMean', () => {
  it.each([
    ['event_type', 'eventType'],
    ['EVENT-TYPE', 'eventType'],
    ['eventtype', 'eventType'],
    ['evenType', 'eventType'],
    ['eventTyep', 'eventType'],
    ['occuredAt', 'occurredAt'],
    ['payloads', 'payload'],
    ['ID', 'id'],
  ])('finds for %s the name %s', (name, meant) => {
    expect(didYouMean(name, FIELDS)).toBe(meant);
  });

  it.each(['', 'x', 'ix', 'colour', 'type', '__proto__', 'constructor', `${'eventType'.repeat(10_000)}`])(
    'finds nothing for %j',
    (name) => {
      expect(didYouMean(name, FIELDS)).toBeUndefined();
    },
  );

  it('prefers the name with fewer errors', () => {
    expect(didYouMean('subjekt', ['subjects', 'subject'])).toBe('subject');
  });
});

describe('the message about an unknown field of the envelope', () => {
  it.each([
    ['event_type', 'eventType'],
    ['data', 'payload'],
    ['event_id', 'eventId'],
    ['id', 'eventId'],
    ['entity_id', 'entityId'],
    ['timestamp', 'occurredAt'],
    ['created_at', 'occurredAt'],
    ['entityID', 'entityId'],
    ['partition_key', 'partitionKey'],
    ['Subject', 'subject'],
    ['corelationId', 'correlationId'],
  ])('names for %s the field %s', (name, field) => {
    expect(unknownField(name, new Set([name]))).toBe(`is not a field of the envelope; did you mean ${field}?`);
  });

  it.each([
    ['tenantId', /send the header X-Tenant-Id$/],
    ['idempotency_key', /send the header Idempotency-Key$/],
    ['specversion', /application\/cloudevents\+json$/],
  ])('says for %s where it belongs', (name, where) => {
    expect(unknownField(name, new Set([name]))).toMatch(where);
  });

  it.each([
    ['id', ['id', 'eventId']],
    ['name', ['name', 'type']],
    ['colour', ['colour']],
    ['__proto__', []],
    ['toString', []],
    ['x'.repeat(100_000), []],
  ])('suggests nothing for %.20s when %j were sent', (name, sent) => {
    expect(unknownField(name, new Set(sent))).toBe('is not a field of the envelope');
  });

  it('names only fields that exist', () => {
    for (const name of ['event', 'aggregate_id', 'body', 'uuid', 'ts', 'key', 'version', 'trace_id']) {
      const field = /did you mean (\w+)\?$/.exec(unknownField(name, new Set()))?.[1];
      expect(Object.keys(ENVELOPE_SCHEMA.properties)).toContain(field);
    }
  });
});
