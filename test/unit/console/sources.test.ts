import type { Schema } from '../../../console/src/api/endpoints';
import { outcomeOf } from '../../../console/src/actions/resubmission-outcome';
import { editable, resubmissionText } from '../../../console/src/pages/rejections/edited-rejection';
import { lostResponse, urlRotation } from '../../../console/src/pages/sources/set-up/url-rotation';
import { draftOf, EMPTY_DRAFT, isWhole, testRequestOf } from '../../../console/src/pages/sources/trial/test-draft';

const SAMPLE: Schema<'RequestSampleResponse'> = {
  ...{ id: 'x', result: 'accepted', status: 200, code: null, reason: null, facts: {}, keyHint: null },
  ...{ eventIds: [], rejectionIds: [], records: 1, correlationId: 'c-1', durationMs: 3 },
  request: {
    ...{ method: 'POST', path: '/a', address: '203.0.113.7', receivedAt: '2026-11-24T00:00:00.000Z' },
    query: { attempt: '1', tag: ['x', 'y&z'] },
    headers: { 'content-type': 'application/json', 'x-signature': 't=1,v1=a:b' },
  },
  ...{ bodyBytes: 9, bodyText: '{"id":10}', bodyBase64: null },
};

describe('a request of a source', () => {
  it('is tried again as it came, at the time when it came', () => {
    const draft = draftOf(SAMPLE);
    expect(draft.headers).toBe('content-type: application/json\nx-signature: t=1,v1=a:b');
    const { bodyText: body, request } = SAMPLE;
    expect(testRequestOf(draft)).toEqual({ ...request, body });
  });

  it('of bytes that are no text is tried with these bytes', () => {
    const sample = { ...SAMPLE, bodyText: null, bodyBase64: 'AP8=', bodyBytes: 2 };
    expect(testRequestOf(draftOf(sample))).toMatchObject({ bodyBase64: 'AP8=' });
    expect(testRequestOf(draftOf(sample))).not.toHaveProperty('body');
    expect([isWhole(sample), isWhole({ ...sample, bodyBytes: 3 })]).toEqual([true, false]);
  });

  it('is whole if all its bytes are kept', () => {
    expect(isWhole(SAMPLE)).toBe(true);
    expect(isWhole({ ...SAMPLE, bodyText: '{"é":1}', bodyBytes: 8 })).toBe(true);
    expect(isWhole({ ...SAMPLE, bodyBytes: 5_000 })).toBe(false);
  });

  it('may be written by hand', () => {
    const draft = { ...EMPTY_DRAFT, headers: 'X-Token:  a \n\nno header\n: nothing', query: 'a=1' };
    expect(testRequestOf(draft)).toEqual({
      ...{ method: 'POST', path: '', query: { a: '1' }, headers: { 'x-token': 'a' }, body: '{}' },
    });
  });
});

describe('a rejection', () => {
  it('is resubmitted with the text that was typed', () => {
    const one = { id: 'i', tenantId: 't', status: 'OPEN' } as const;
    const text = resubmissionText(one, ' {"n":12345678901234567890} ', { dryRun: true, note: undefined });
    expect(text).toBe(
      '{"patch":[{"op":"replace","path":"","value":{"n":12345678901234567890}}],' +
        '"tenantId":"t","ids":["i"],"status":"OPEN","dryRun":true}',
    );
    expect(JSON.parse(resubmissionText(one, '1', { dryRun: false, note: 'why' }))).toMatchObject({ note: 'why' });
  });

  it('is edited as it is, if it is JSON', () => {
    expect(editable('{"n":10.10}')).toBe('{\n  "n": 10.10\n}');
    expect([editable('{"n":'), editable('<event/>'), editable(null)]).toEqual([undefined, undefined, undefined]);
  });

  it('says what became of it, or would', () => {
    const response: Schema<'ResubmitResponse'> = {
      ...{ accepted: true, actionId: null, dryRun: true, correlationId: 'c-1', matched: 4, resubmitted: 1, more: true },
      ...{ duplicates: 1, rejected: 2, skipped: 0, pending: 0, rejectedByCode: { 'invalid-event': 2 }, preview: [] },
      firstRejected: ['a', 'b'].map((id) => ({ id, code: 'invalid-event', pointer: null, message: 'no subject' })),
    };
    expect(outcomeOf(response)).toEqual({
      ...{ matched: 4, changed: 2, skipped: 0, more: true },
      remarks: [
        '1 rejection would become events.',
        'Duplicates of stored events: 1.',
        '2 rejections would be refused again: invalid-event 2.',
        'no subject',
      ],
    });
    const done = { ...response, dryRun: false, duplicates: 0, rejected: 0, rejectedByCode: {}, firstRejected: [] };
    expect(outcomeOf({ ...done, pending: 1 }).remarks).toEqual(['Not reached in time: 1. Do it again for the rest.']);
  });
});

describe('a new URL of a source', () => {
  it('keeps the one before the newest only if the newest never reached the producer', () => {
    expect(urlRotation(60, false)).toEqual({ overlapSeconds: 60 });
    expect(urlRotation(60, true)).toEqual({ overlapSeconds: 60, keepPrevious: true });
  });

  it('whose response was lost is named as soon as the source shows it', () => {
    expect(lostResponse('…aaaa', '…aaaa')).toMatch('may have been changed');
    expect(lostResponse('…aaaa', '…bbbb')).toMatch('changed to …bbbb, which nobody has seen');
  });
});
