import { canonicalJson } from '../../../src/event/json/canonical-json';
import { sha256 } from '../../../src/event/identity/content-hash';
import type { ContentRules } from '../../../src/event/prepare-event';
import { prepared } from '../../support/events';

const SUBJECT = { subject: 'order-1' };
const hash = (fields: Record<string, unknown> = {}): string => prepared({ ...SUBJECT, ...fields }).event.hash;

describe('the hash of an event', () => {
  it('is the SHA-256 of the canonical JSON of its content', () => {
    const occurredAt = '2026-01-31T12:00:00.000Z';
    const content = {
      ...{ occurredAt, partitionKey: 'p "1"', payload: { b: 1, a: 2 }, schemaVersion: '2.0.0', source: 'till' },
      ...{ specVersion: '1.0', subject: 'order-1', type: 'order.paid' },
    };
    const { type, ...sent } = content;
    expect(hash({ ...sent, eventType: type })).toBe(sha256(canonicalJson(content)));
  });

  it('consists of 64 hex digits', () => {
    expect(hash()).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['the order of names', { payload: { a: 1, b: { c: 2, d: 3 } } }, { payload: { b: { d: 3, c: 2 }, a: 1 } }],
    [
      'the offset of a time',
      { occurredAt: '2026-01-31T12:00:00.5Z' },
      { occurredAt: '2026-01-31T13:00:00.500000+01:00' },
    ],
    [
      'defaults left out',
      {},
      { source: 'api', schemaVersion: '1.0.0', specVersion: '1.0', partitionKey: SUBJECT.subject },
    ],
    ['legacy names', {}, { eventType: undefined, type: 'order.paid', subject: undefined, entityId: SUBJECT.subject }],
    ['the eventId', { eventId: 'a' }, { eventId: 'b' }],
    ['the correlation id', { correlationId: 'a' }, { correlationId: 'b' }],
  ])('does not depend on %s', (_what, fields, others) => {
    expect(hash(fields)).toBe(hash(others));
  });

  it.each([
    ['eventType', 'order.refunded'],
    ['subject', 'order-2'],
    ['partitionKey', 'other'],
    ['source', 'till-7'],
    ['schemaVersion', '2.0.0'],
    ['specVersion', '2.0'],
    ['occurredAt', '2026-01-31T12:00:00Z'],
    ['payload', { amount: 11 }],
  ])('depends on %s', (name, value) => {
    expect(hash({ [name]: value })).not.toBe(hash());
  });

  it('differs for payloads that are nearly the same', () => {
    const payloads = [null, 0, '', '0', false, 'null', [], {}, [null], { a: null }, [[]], { a: 1 }, { a: '1' }];
    const named = ['{"__proto__":1}', '{"constructor":1}'].map((text): unknown => JSON.parse(text));
    const hashes = [...payloads, ...named].map((payload) => hash({ payload }));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('differs for instants less than a millisecond apart', () => {
    const at = (fraction: string): string => hash({ occurredAt: `2026-01-31T12:00:00.${fraction}Z` });
    expect(at('0000001')).not.toBe(at('0000002'));
  });
});

describe('the key of an event', () => {
  const key = (fields: Record<string, unknown>, rules: Partial<ContentRules> = {}, tenantId = 'acme'): string =>
    prepared({ ...SUBJECT, ...fields }, { tenantId }, rules).keyDigest;
  const MONDAY = { occurredAt: '2026-01-05T12:00:00Z' };
  const TUESDAY = { occurredAt: '2026-01-06T12:00:00Z' };

  it('depends on the content and on the tenant', () => {
    expect(key({ payload: { a: 1, b: 2 } })).toBe(key({ payload: { b: 2, a: 1 } }));
    expect(key({ payload: 1 })).not.toBe(key({ payload: 2 }));
    expect(key({}, {}, 'acme')).not.toBe(key({}, {}, 'other'));
  });

  it('is the eventId where the producer sent one, whatever the content', () => {
    expect(key({ eventId: 'a' })).not.toBe(key({ eventId: 'b' }));
    expect(key({ eventId: 'a', payload: 1 })).toBe(key({ eventId: 'a', payload: 2 }));
    expect(key({ eventId: 'a' })).not.toBe(key({}));
    expect(key({ eventId: 'a' }, {}, 'acme')).not.toBe(key({ eventId: 'a' }, {}, 'other'));
  });

  it('ignores the eventId without DEDUPE_INCLUDE_EVENT_ID, except under full', () => {
    const intent = { DEDUPE_INCLUDE_EVENT_ID: false } as const;
    expect(key({ eventId: 'a' }, intent)).toBe(key({ eventId: 'b' }, intent));
    expect(key({ eventId: 'a' }, intent)).toBe(key({}, intent));
    const full = { DEDUPE_INCLUDE_EVENT_ID: false, DEDUPE_STRATEGY: 'full' } as const;
    expect(key({ eventId: 'a' }, full)).not.toBe(key({ eventId: 'b' }, full));
    expect(key({ eventId: 'a' }, full)).toBe(key({ eventId: 'a' }, full));
    expect(key({ eventId: 'a', ...MONDAY }, { ...full, DEDUPE_INCLUDE_OCCURRED_AT: false })).toBe(
      key({ eventId: 'a', ...TUESDAY }, { ...full, DEDUPE_INCLUDE_OCCURRED_AT: false }),
    );
  });

  it('differs for two equal sales at different times', () => {
    expect(key(MONDAY)).not.toBe(key(TUESDAY));
  });

  it('ignores the time for producers that set a new time on each retry', () => {
    const rules = { DEDUPE_INCLUDE_OCCURRED_AT: false };
    expect(key(MONDAY, rules)).toBe(key(TUESDAY, rules));
    expect(key(MONDAY, rules)).toBe(key({}, rules));
    const [monday, tuesday] = [prepared({ ...SUBJECT, ...MONDAY }, {}, rules), prepared({ ...SUBJECT, ...TUESDAY })];
    expect(monday.event.hash).not.toBe(tuesday.event.hash);
    expect(monday.fingerprint).toBe(prepared({ ...SUBJECT, ...TUESDAY }, {}, rules).fingerprint);
  });

  it('depends only on the header if one was sent, whatever the content', () => {
    const withHeader = (payload: number, idempotencyKey: string): string =>
      prepared({ ...SUBJECT, payload }, { idempotencyKey }).keyDigest;
    expect(withHeader(1, 'k')).toBe(withHeader(2, 'k'));
    expect(withHeader(1, 'k')).not.toBe(withHeader(1, 'l'));
  });
});
