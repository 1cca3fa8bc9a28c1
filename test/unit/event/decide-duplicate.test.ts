import { decideDuplicate, type KeyHolder } from '../../../src/event/identity/decide-duplicate';
import type { PreparedEvent } from '../../../src/event/prepare-event';
import { prepared } from '../../support/events';

const withId = prepared({ eventId: 'e1' });
const withKey = prepared({ eventId: 'e1' }, { idempotencyKey: 'k1' });
const bare = prepared();
const byIntent = prepared({ eventId: 'e1' }, {}, { DEDUPE_INCLUDE_EVENT_ID: false });

const same = (of: PreparedEvent, more: Partial<KeyHolder> = {}): KeyHolder => ({
  id: 'original',
  eventId: of.event.eventId === of.event.id ? 'original' : of.event.eventId,
  fingerprint: of.fingerprint,
  ...more,
});
const other: KeyHolder = { id: 'original', eventId: 'e1', fingerprint: 'other' };
const CONFLICT = { kind: 'rejected', rejection: { code: 'event-id-conflict' } };
const REUSED = { kind: 'rejected', rejection: { code: 'idempotency-key-reused' } };

describe('decideDuplicate', () => {
  it('returns unknown when no key has a holder', () => {
    for (const event of [withId, withKey, bare, byIntent])
      expect(decideDuplicate(event, undefined, undefined)).toEqual({ kind: 'unknown' });
  });

  it('accepts an event that holds its own key: a retried statement has found its own row', () => {
    for (const event of [withId, withKey, bare, byIntent]) {
      const own = same(event, { id: event.event.id });
      expect(decideDuplicate(event, own, own)).toEqual({ kind: 'accepted' });
    }
  });

  it('returns duplicate for the same explicit key with the same content, and rejects it with another', () => {
    expect(decideDuplicate(withKey, same(withKey), undefined)).toEqual({
      kind: 'duplicate',
      of: same(withKey),
      by: 'key',
    });
    expect(decideDuplicate(withKey, other, undefined)).toMatchObject(REUSED);
  });

  it('returns duplicate for the same own id with the same content, and rejects it with another', () => {
    expect(decideDuplicate(withId, same(withId), undefined)).toMatchObject({ kind: 'duplicate', by: 'key' });
    expect(decideDuplicate(withId, other, undefined)).toMatchObject(CONFLICT);
  });

  it('checks the own id beside an explicit key, and after it', () => {
    expect(decideDuplicate(withKey, undefined, same(withKey))).toMatchObject({ kind: 'duplicate', by: 'own-id' });
    expect(decideDuplicate(withKey, undefined, other)).toMatchObject(CONFLICT);
    expect(decideDuplicate(withKey, same(withKey), other)).toMatchObject({ kind: 'duplicate', by: 'key' });
    expect(decideDuplicate(withKey, other, same(withKey))).toMatchObject(REUSED);
  });

  it('returns duplicate for the same content when neither event has an id', () => {
    expect(decideDuplicate(bare, same(bare), undefined)).toMatchObject({ kind: 'duplicate', by: 'key' });
  });

  it('returns other-holder when the key of the content belongs to an event with an id, or with other content', () => {
    expect(decideDuplicate(bare, same(bare, { eventId: 'e1' }), undefined)).toEqual({ kind: 'other-holder' });
    expect(decideDuplicate(bare, same(bare, { fingerprint: 'other' }), undefined)).toEqual({ kind: 'other-holder' });
  });

  it('returns duplicate for the same content whatever the ids, without DEDUPE_INCLUDE_EVENT_ID', () => {
    for (const eventId of ['e1', 'e2', 'original'])
      expect(decideDuplicate(byIntent, same(byIntent, { eventId }), undefined)).toMatchObject({ kind: 'duplicate' });
    expect(decideDuplicate(byIntent, undefined, other)).toMatchObject(CONFLICT);
  });

  it('takes what an earlier resubmission of the same rejection has stored for its event, whatever else is stored', () => {
    for (const event of [withId, withKey, bare, byIntent]) {
      const earlier = { ...other, id: 'earlier' };
      const found = { kind: 'duplicate', of: earlier, by: 'rejection' };
      for (const holder of [undefined, same(event), other])
        expect(decideDuplicate(event, holder, holder, earlier)).toEqual(found);
      const own = same(event, { id: event.event.id });
      expect(decideDuplicate(event, own, own, own)).toEqual({ kind: 'accepted' });
    }
  });
});
