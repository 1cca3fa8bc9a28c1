import type { KeyHolder } from '../../../src/event/identity/decide-duplicate';
import { derivedKey, eventIdKey } from '../../../src/event/identity/idempotency-key';
import { decideByLegacyKeys } from '../../../src/event/identity/decide-by-legacy-keys';
import { prepareStructured } from '../../../src/event/cloud-event/prepare-cloud-event';
import type { ContentRules, PreparedEvent } from '../../../src/event/prepare-event';
import { prepared, RULES } from '../../support/events';

const BESIDE_LEGACY = { checksLegacyKeys: true };
const envelope = (fields: Record<string, unknown>, rules: Partial<ContentRules> = {}, idempotencyKey?: string) =>
  prepared({ subject: 's', ...fields }, { idempotencyKey }, { ...BESIDE_LEGACY, ...rules });

function cloudEvent(rules: Partial<ContentRules> = {}, idempotencyKey?: string): PreparedEvent {
  const context = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey };
  const bytes = Buffer.from('{"specversion":"1.0","id":"1","type":"t","source":"/a","data":1}');
  const made = prepareStructured(bytes, context, { ...RULES, ...BESIDE_LEGACY, ...rules });
  if ('rejection' in made) throw new Error(made.rejection.message);
  return made.prepared;
}

describe('legacy keys', () => {
  it('are looked up only while the database may contain some', () => {
    expect(prepared({ eventId: 'a' }).legacy).toBeUndefined();
    expect(envelope({ eventId: 'a' }).legacy).toBeDefined();
  });

  it('of an envelope with an id are the content; without an id, the same key has always been used', () => {
    const event = envelope({ eventId: 'a' });
    expect(event.legacy).toMatchObject({
      derived: envelope({}).keyDigest,
      eventId: undefined,
      handover: undefined,
    });
    expect(envelope({}).legacy).toBeUndefined();
    expect(envelope({ eventId: 'a' }, {}, 'k').legacy).toMatchObject({ derived: undefined, eventId: undefined });
  });

  it('of a CloudEvent are its id and its content; it also claims its content, for a process of the earlier build', () => {
    const event = cloudEvent();
    const derived = derivedKey('acme', event.fingerprint, undefined, 'intent');
    const eventId = eventIdKey('acme', '1');
    expect(event.legacy).toMatchObject({ derived, eventId, handover: derived });
    expect(cloudEvent({}, 'k').legacy).toMatchObject({ derived: undefined, eventId, handover: undefined });
    expect(cloudEvent({ DEDUPE_INCLUDE_EVENT_ID: false }).legacy).toMatchObject({ derived: undefined, eventId });
  });

  it('contain the id under the strategy full, as in the earlier build', () => {
    const full = { DEDUPE_STRATEGY: 'full' } as const;
    const event = envelope({ eventId: 'a' }, full);
    expect(event.legacy?.derived).toBe(derivedKey('acme', event.fingerprint, 'a', 'full'));
  });
});

describe('decideByLegacyKeys', () => {
  const event = cloudEvent();
  const holder = (fields: Partial<KeyHolder> = {}): KeyHolder => ({
    id: 'original',
    eventId: '1',
    fingerprint: event.fingerprint,
    legacy: true,
    source: '/a',
    ...fields,
  });

  it('counts the same id only from the same source', () => {
    expect(decideByLegacyKeys(event, undefined, holder())).toMatchObject({ kind: 'duplicate', by: 'legacy' });
    expect(decideByLegacyKeys(event, undefined, holder({ fingerprint: 'other' }))).toMatchObject({
      rejection: { code: 'event-id-conflict' },
    });
    expect(decideByLegacyKeys(event, undefined, holder({ source: '/b' }))).toEqual({ kind: 'unknown' });
  });

  it('counts the same content only if that event has the same id or none', () => {
    expect(decideByLegacyKeys(event, holder(), undefined)).toMatchObject({ kind: 'duplicate', by: 'legacy' });
    expect(decideByLegacyKeys(event, holder({ eventId: 'original' }), undefined)).toMatchObject({ kind: 'duplicate' });
    expect(decideByLegacyKeys(event, holder({ eventId: '2' }), undefined)).toEqual({ kind: 'unknown' });
  });

  it('counts the same content whatever the ids, without DEDUPE_INCLUDE_EVENT_ID', () => {
    const byIntent = cloudEvent({ DEDUPE_INCLUDE_EVENT_ID: false });
    expect(decideByLegacyKeys(byIntent, holder({ eventId: '2' }), undefined)).toMatchObject({ kind: 'duplicate' });
  });

  it('does not guess about an event that retention has removed, unless both keys name it', () => {
    const gone = holder({ eventId: 'original', source: null });
    expect(decideByLegacyKeys(event, gone, undefined)).toEqual({ kind: 'unknown' });
    expect(decideByLegacyKeys(event, undefined, gone)).toEqual({ kind: 'unknown' });
    expect(decideByLegacyKeys(event, gone, gone)).toMatchObject({ kind: 'duplicate' });
  });

  it('does not count keys of this build', () => {
    const fresh = holder({ legacy: false });
    expect(decideByLegacyKeys(event, fresh, fresh)).toEqual({ kind: 'unknown' });
  });
});
