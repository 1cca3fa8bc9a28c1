import { hasOwnKey, keyForResubmission } from '../../../../src/admin/rejections/key-for-resubmission';
import { ResubmissionOutcome, settle, type EventResult } from '../../../../src/admin/rejections/resubmission-outcome';
import { explicitKey, sourceKey } from '../../../../src/event/identity/idempotency-key';

const ID = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const OWN = `rejection:${ID}`;

describe('the key of a resubmitted record', () => {
  const of = { id: ID, code: 'invalid-event', format: 'event', requestKey: null } as const;

  it('is the one that it was sent with, patched or not', () => {
    for (const patch of ['none', 'no-change', 'changed'] as const) {
      expect(keyForResubmission({ ...of, requestKey: 'k#3' }, patch)).toBe('k#3');
    }
  });

  it('is its own id or content if it was sent without one, unless a patch has changed it', () => {
    expect(keyForResubmission(of, 'none')).toBeUndefined();
    expect(keyForResubmission(of, 'no-change')).toBeUndefined();
    expect(keyForResubmission(of, 'changed')).toBe(OWN);
  });

  it('is a new one if its key belongs to another event and it is patched', () => {
    const reused = { ...of, code: 'idempotency-key-reused', requestKey: 'k' } as const;
    expect(keyForResubmission(reused, 'none')).toBe('k');
    expect(keyForResubmission(reused, 'no-change')).toBe(OWN);
    expect(keyForResubmission(reused, 'changed')).toBe(OWN);
  });

  it('of a source is what its mapping finds', () => {
    const source = { ...of, format: 'source', requestKey: 'k' } as const;
    expect(keyForResubmission(source, 'none')).toBeUndefined();
    expect(keyForResubmission(source, 'changed')).toBe(OWN);
  });
});

describe('the key that a rejection gives to its event', () => {
  const explicit = (keyDigest: string) => ({ keyKind: 'explicit', keyDigest }) as const;

  it('is recognised: that of the only event, and those of the records of a request', () => {
    const of = { id: ID, tenantId: 't', sourceId: null };
    expect(hasOwnKey(of, explicit(explicitKey('t', OWN)), 1)).toBe(true);
    expect(hasOwnKey(of, explicit(explicitKey('t', 'k')), 1)).toBe(false);
    expect(hasOwnKey(of, { keyKind: 'content', keyDigest: explicitKey('t', OWN) }, 1)).toBe(false);
    const ofSource = { ...of, sourceId: 's' };
    expect(hasOwnKey(ofSource, explicit(sourceKey('t', 's', `${OWN}#2`)), 2)).toBe(true);
    expect(hasOwnKey(ofSource, explicit(sourceKey('t', 's', `${OWN}#2`)), 3)).toBe(false);
    expect(hasOwnKey(ofSource, explicit(explicitKey('t', OWN)), 1)).toBe(false);
  });
});

describe('the outcome of a resubmission', () => {
  const accepted: EventResult = { kind: 'accepted', eventId: 'e' };
  const duplicate: EventResult = { kind: 'duplicate', eventId: 'd' };
  const refused: EventResult = {
    kind: 'rejected',
    rejection: { code: 'event-id-conflict', message: ' other content', errors: [] },
  };

  it('counts rejections by what became of all their events', () => {
    const outcome = new ResubmissionOutcome(6);
    expect(settle({ id: '1' }, [accepted], outcome)).toEqual({ id: '1', eventId: 'e' });
    expect(settle({ id: '2' }, [duplicate, accepted], outcome)).toEqual({ id: '2', eventId: 'd' });
    expect(settle({ id: '3' }, [duplicate], outcome)).toEqual({ id: '3', eventId: 'd' });
    expect(settle({ id: '4' }, [accepted, refused], outcome)).toBeUndefined();
    expect(settle({ id: '5' }, [accepted, undefined], outcome)).toBeUndefined();
    expect(outcome).toMatchObject({ resubmitted: 2, duplicates: 1, rejected: 1, skipped: 0, pending: 2 });
    expect(outcome.firstRejected).toEqual([
      { id: '4', code: 'event-id-conflict', pointer: null, message: 'other content' },
    ]);
  });

  it('is read back from the audit entry, without the messages', () => {
    const outcome = new ResubmissionOutcome(20);
    for (let i = 0; i < 12; i++) settle({ id: String(i) }, [refused], outcome);
    expect(outcome.firstRejected).toHaveLength(10);
    const counts = JSON.parse(JSON.stringify(outcome.counts())) as Record<string, number>;
    expect(ResubmissionOutcome.of(counts)).toMatchObject({
      ...{ matched: 20, rejected: 12, pending: 8, rejectedByCode: { 'event-id-conflict': 12 }, firstRejected: [] },
    });
  });

  it('is the sum of its parts', () => {
    const [sum, part] = [new ResubmissionOutcome(8), new ResubmissionOutcome(4)];
    settle({ id: '1' }, [accepted], part);
    for (let i = 0; i < 3; i++) settle({ id: String(i) }, [refused], part);
    expect(sum.with(part)).toMatchObject({ matched: 8, resubmitted: 1, rejected: 3, pending: 4 });
    sum.add(part);
    sum.add(part);
    expect(sum).toMatchObject({ resubmitted: 2, rejectedByCode: { 'event-id-conflict': 6 }, pending: 0 });
    expect(sum.firstRejected).toHaveLength(6);
  });
});
