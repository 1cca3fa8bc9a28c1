import { hasOwnKey, keyForResubmission } from '../../../../src/admin/rejections/resubmission/key-for-resubmission';
import {
  isSameCounts,
  ResubmissionOutcome,
  settle,
  type EventResult,
} from '../../../../src/admin/rejections/resubmission/resubmission-outcome';
import { explicitKey, sourceKey } from '../../../../src/event/identity/idempotency-key';
import type { KeptRejection } from '../../../../src/rejections/rejections.queries';

const ID = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const OF_ID = { key: `rejection:${ID}`, replacesMapped: true };
const CE = { 'ce-id': '1', 'ce-type': 'sale' };

const KEPT: KeptRejection = {
  ...{ id: ID, tenantId: 't', sourceId: null, endpoint: 'event', format: 'event', code: 'invalid-event' },
  ...{ pointer: null, message: '', eventType: null, recordNumber: null, requestKey: null, conflictsWith: null },
  ...{ correlationId: 'c', receivedAt: '2026-01-01T00:00:00Z', contentType: null, sizeBytes: 1, status: 'OPEN' },
  ...{ settledAt: null, eventId: null, duplicate: null, erasedAt: null, body: Buffer.from('1'), requestJson: null },
  digest: '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
};
const keyOf = (changes: Partial<KeptRejection>, patch: 'none' | 'no-change' | 'changed' = 'changed') =>
  keyForResubmission({ ...KEPT, ...changes }, patch);
const headJson = (head: object): string => JSON.stringify(head);

describe('the key of a resubmitted record', () => {
  it('is the one that it was sent with, patched or not', () => {
    for (const patch of ['none', 'no-change', 'changed'] as const) {
      expect(keyOf({ requestKey: 'k#3' }, patch)).toEqual({ key: 'k#3', replacesMapped: false });
    }
  });

  it('is its own id or content if it was sent without one, unless a patch has changed it', () => {
    expect(keyOf({}, 'none').key).toBeUndefined();
    expect(keyOf({}, 'no-change').key).toBeUndefined();
    expect(keyOf({}).key).toMatch(/^rejection:[0-9a-f]{64}$/);
  });

  it('is the same for each rejection of a record that was sent again', () => {
    const again = {
      id: ID.replace('01', '02'),
      correlationId: 'd',
      receivedAt: '2026-02-01T00:00:00Z',
      recordNumber: 7,
    };
    expect(keyOf(again)).toEqual(keyOf({}));
    const [first, second] = ['a', 'b'].map((signature) =>
      headJson({ headers: { ...CE, signature }, address: signature }),
    );
    expect(keyOf({ requestJson: first })).toEqual(keyOf({ requestJson: second }));
  });

  it('differs for what is not the same record', () => {
    const keys = [
      ...[{}, { tenantId: 'u' }, { sourceId: ID }, { endpoint: 'stream' as const }, { format: 'cloudevent' as const }],
      ...[{ digest: 'ff' }, { requestJson: headJson({ headers: CE }) }],
      ...[{ requestJson: headJson({ headers: { ...CE, 'ce-id': '2' } }) }, { requestJson: headJson({ path: '/b' }) }],
      { requestJson: headJson({ query: { type: 'b' } }) },
    ].map((changes) => keyOf(changes).key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is a new one if its key belongs to another event and it is patched', () => {
    const reused = { code: 'idempotency-key-reused', requestKey: 'k' } as const;
    expect(keyOf(reused, 'none').key).toBe('k');
    for (const format of ['event', 'source'] as const) {
      expect(keyOf({ ...reused, format }, 'no-change')).toEqual(OF_ID);
      expect(keyOf({ ...reused, format }, 'changed')).toEqual(OF_ID);
    }
  });

  it('of a source is what its mapping finds', () => {
    const source = { format: 'source', requestKey: 'k' } as const;
    expect(keyOf(source, 'none')).toEqual({ key: undefined, replacesMapped: false });
    expect(keyOf(source)).toEqual({ key: expect.stringMatching(/^rejection:/) as unknown, replacesMapped: false });
  });

  it('of a stream that was refused as a whole is that of its first record', () => {
    const stream = { code: 'unsupported-media-type', endpoint: 'stream', requestKey: 'k' } as const;
    expect(keyOf(stream, 'none').key).toBe('k#1');
    expect(keyOf({ ...stream, endpoint: 'event' }, 'none').key).toBe('k');
  });
});

describe('the key that a rejection gives to its event', () => {
  const explicit = (keyDigest: string) => ({ keyKind: 'explicit', keyDigest }) as const;

  it('is recognised: that of the only event, and those of the records of a request', () => {
    const own = [`rejection:${ID}`, String(keyOf({}).key)];
    for (const key of own) expect(hasOwnKey(KEPT, explicit(explicitKey('t', key)), 1)).toBe(true);
    expect(hasOwnKey(KEPT, explicit(explicitKey('t', 'k')), 1)).toBe(false);
    expect(hasOwnKey(KEPT, { keyKind: 'content', keyDigest: explicitKey('t', `rejection:${ID}`) }, 1)).toBe(false);
    const ofSource: KeptRejection = { ...KEPT, sourceId: 's', format: 'source' };
    for (const key of [`rejection:${ID}`, String(keyOf(ofSource).key)]) {
      expect(hasOwnKey(ofSource, explicit(sourceKey('t', 's', `${key}#2`)), 2)).toBe(true);
      expect(hasOwnKey(ofSource, explicit(sourceKey('t', 's', `${key}#2`)), 3)).toBe(false);
      expect(hasOwnKey(ofSource, explicit(explicitKey('t', key)), 1)).toBe(false);
    }
  });
});

describe('the outcome of a resubmission', () => {
  const accepted: EventResult = { kind: 'accepted', eventId: 'e' };
  const duplicate: EventResult = { kind: 'duplicate', eventId: 'd' };
  const before: EventResult = { kind: 'stored-before', eventId: 'b' };
  const refused: EventResult = {
    kind: 'rejected',
    rejection: { code: 'event-id-conflict', message: ' other content', errors: [] },
  };

  it('counts rejections by what became of all their events', () => {
    const outcome = new ResubmissionOutcome(6);
    expect(settle({ id: '1' }, [accepted], outcome)).toEqual({ id: '1', eventId: 'e', duplicate: false });
    expect(settle({ id: '2' }, [duplicate, accepted], outcome)).toEqual({ id: '2', eventId: 'e', duplicate: false });
    expect(settle({ id: '3' }, [duplicate], outcome)).toEqual({ id: '3', eventId: 'd', duplicate: true });
    expect(settle({ id: '4' }, [accepted, refused], outcome)).toBeUndefined();
    expect(settle({ id: '5' }, [accepted, undefined], outcome)).toBeUndefined();
    expect(outcome).toMatchObject({ resubmitted: 2, duplicates: 1, rejected: 1, skipped: 0, pending: 2 });
    expect(outcome.firstRejected).toEqual([
      { id: '4', code: 'event-id-conflict', pointer: null, message: 'other content' },
    ]);
  });

  it('tells an event that an earlier attempt has made from that of another record', () => {
    const outcome = new ResubmissionOutcome(3);
    expect(settle({ id: '1' }, [before], outcome)).toEqual({ id: '1', eventId: 'b', duplicate: false });
    expect(settle({ id: '2' }, [duplicate, before], outcome)).toEqual({ id: '2', eventId: 'b', duplicate: false });
    expect(settle({ id: '3' }, [duplicate, undefined], outcome)).toBeUndefined();
    expect(outcome).toMatchObject({ resubmitted: 0, duplicates: 2, pending: 1 });
  });

  it('is recognised in the audit entry that a lost commit may have written', () => {
    const [before, part] = [new ResubmissionOutcome(3), new ResubmissionOutcome(2)];
    settle({ id: '1' }, [accepted], part);
    settle({ id: '2' }, [refused], part);
    const recorded = JSON.parse(JSON.stringify(before.with(part).counts())) as Record<string, number>;
    expect(isSameCounts(recorded, before.with(part).counts())).toBe(true);
    expect(isSameCounts(recorded, before.counts())).toBe(false);
    expect(isSameCounts(before.counts(), before.with(part).counts())).toBe(false);
    expect(isSameCounts(undefined, before.counts())).toBe(false);
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
