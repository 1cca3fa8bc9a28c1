import { decideDuplicate, type KeyFact } from '../../../src/event/decide-duplicate';
import { prepared } from '../../support/events';

describe('decideDuplicate', () => {
  const event = prepared({ eventId: 'e1' });
  const withKey = prepared({ eventId: 'e1' }, { idempotencyKey: 'k1' });
  const sameContent = (of = event): KeyFact => ({ id: 'original', fingerprint: of.fingerprint });
  const otherContent: KeyFact = { id: 'original', fingerprint: 'other' };

  it('returns unknown when neither key has a holder', () => {
    expect(decideDuplicate(event, undefined, undefined)).toEqual({ kind: 'unknown' });
  });

  it('accepts an event that holds its own key: a retried statement has found its own row', () => {
    const own = { id: event.event.id, fingerprint: event.fingerprint };
    expect(decideDuplicate(event, own, own)).toEqual({ kind: 'accepted' });
  });

  it('returns duplicate for the same explicit key with the same content', () => {
    expect(decideDuplicate(withKey, sameContent(withKey), undefined)).toEqual({
      kind: 'duplicate',
      of: sameContent(withKey),
    });
  });

  it('rejects the same explicit key with different content', () => {
    expect(decideDuplicate(withKey, otherContent, undefined)).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'idempotency-key-reused' },
    });
  });

  it('returns duplicate for the same derived key, which implies the same content', () => {
    expect(decideDuplicate(event, sameContent(), undefined)).toMatchObject({ kind: 'duplicate' });
  });

  it('returns duplicate for the same eventId with the same content', () => {
    expect(decideDuplicate(withKey, undefined, sameContent(withKey))).toMatchObject({ kind: 'duplicate' });
  });

  it('rejects the same eventId with different content', () => {
    expect(decideDuplicate(event, undefined, otherContent)).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'event-id-conflict' },
    });
  });

  it('checks the explicit key before the eventId', () => {
    expect(decideDuplicate(withKey, sameContent(withKey), otherContent)).toMatchObject({ kind: 'duplicate' });
    expect(decideDuplicate(withKey, otherContent, sameContent(withKey))).toMatchObject({
      rejection: { code: 'idempotency-key-reused' },
    });
  });
});
