import { decideDuplicate, type KeyFact } from '../../../src/event/decide-duplicate';
import { prepared } from '../../support/events';

describe('deciding whether an event is a duplicate', () => {
  const event = prepared({ eventId: 'e1' });
  const withKey = prepared({ eventId: 'e1' }, { idempotencyKey: 'k1' });
  const sameContent = (of = event): KeyFact => ({ id: 'original', fingerprint: of.fingerprint });
  const otherContent: KeyFact = { id: 'original', fingerprint: 'other' };

  it('cannot tell when nobody holds its keys', () => {
    expect(decideDuplicate(event, undefined, undefined)).toEqual({ kind: 'unknown' });
  });

  it('takes an event that holds its own key for accepted: a repeated statement found its own row', () => {
    const own = { id: event.event.id, fingerprint: event.fingerprint };
    expect(decideDuplicate(event, own, own)).toEqual({ kind: 'accepted' });
  });

  it('takes the same explicit key with the same content for a duplicate', () => {
    expect(decideDuplicate(withKey, sameContent(withKey), undefined)).toEqual({
      kind: 'duplicate',
      of: sameContent(withKey),
    });
  });

  it('rejects the same explicit key with other content', () => {
    expect(decideDuplicate(withKey, otherContent, undefined)).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'idempotency-key-reused' },
    });
  });

  it('takes a derived key for a duplicate: equal content is what it means', () => {
    expect(decideDuplicate(event, sameContent(), undefined)).toMatchObject({ kind: 'duplicate' });
  });

  it('takes the same eventId with the same content for a duplicate', () => {
    expect(decideDuplicate(withKey, undefined, sameContent(withKey))).toMatchObject({ kind: 'duplicate' });
  });

  it('rejects the same eventId with other content', () => {
    expect(decideDuplicate(event, undefined, otherContent)).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'event-id-conflict' },
    });
  });

  it('hears the explicit key first, then the eventId', () => {
    expect(decideDuplicate(withKey, sameContent(withKey), otherContent)).toMatchObject({ kind: 'duplicate' });
    expect(decideDuplicate(withKey, otherContent, sameContent(withKey))).toMatchObject({
      rejection: { code: 'idempotency-key-reused' },
    });
  });
});
