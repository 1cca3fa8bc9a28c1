import { hash } from 'node:crypto';
import { compare } from '../../rejections-proof/compare';
import type { Outcome, Sending, ShownRejection } from '../../rejections-proof/sending';

const GOOD = '{"eventType":"t","subject":"s","payload":1}';
const SENDING: Sending = { name: 'lines', path: '/', headers: {}, body: Buffer.from(`${GOOD}\n{"a":1}\n{"b":2}\n`) };
const shown = (recordNumber: number, text: string, more: Partial<ShownRejection> = {}): ShownRejection => ({
  ...{
    id: String(recordNumber),
    code: 'invalid-event',
    recordNumber,
    sizeBytes: text.length,
    digest: hash('sha256', text),
  },
  ...{ truncated: false, rawText: text, rawBase64: null, ...more },
});
const OUTCOME: Outcome = {
  ...{ status: 207, correlationId: 'c', records: 3, accepted: 1, duplicates: 0, restIsNotKept: false },
  rejected: [2, 3].map((record) => ({ record, code: 'invalid-event', kept: true })),
};
const SHOWN = [shown(3, '{"b":2}'), shown(2, '{"a":1}')];

describe('the proof of rejections', () => {
  it('accounts for records that are found again', () => {
    const tally = { sent: 3, accepted: 1, duplicates: 0, kept: 2, reported: 0, turnedAway: 0 };
    expect(compare(SENDING, OUTCOME, SHOWN)).toEqual({ tally, faults: [] });
  });

  it('accounts for the beginning of a record by size and digest', () => {
    const cut = shown(2, '{"a":1}', { rawText: '{"a', truncated: true });
    expect(compare(SENDING, OUTCOME, [cut, shown(3, '{"b":2}')]).faults).toEqual([]);
  });

  it('finds bytes in base64, and those of a body that was decoded', () => {
    const kept = shown(2, '{"a":1}', { rawText: null, rawBase64: Buffer.from('{"a":1}').toString('base64') });
    const encoded = { ...SENDING, body: Buffer.from('encoded'), decoded: SENDING.body };
    expect(compare(encoded, OUTCOME, [kept, shown(3, '{"b":2}')]).faults).toEqual([]);
    expect(compare({ ...SENDING, body: Buffer.from('encoded') }, OUTCOME, SHOWN).faults).toHaveLength(2);
  });

  it('accounts for what is reported as not kept, whether it is stored later or not', () => {
    const outcome = { ...OUTCOME, rejected: OUTCOME.rejected.map((one) => ({ ...one, kept: one.record === 2 })) };
    for (const found of [SHOWN, SHOWN.slice(1)]) {
      expect(compare(SENDING, outcome, found)).toMatchObject({ tally: { kept: 1, reported: 1 }, faults: [] });
    }
  });

  const oneIsBroken = {
    ...SENDING,
    records: [GOOD, '{"a":1}', '{"b":2}'].map((text) => ({ bytes: Buffer.from(text) })),
  };
  it.each<[string, Sending, Partial<Outcome>, ShownRejection[], RegExp]>([
    ['a record that is lost', SENDING, { accepted: 0 }, SHOWN, /3 records, but 0 accepted/],
    ['a rejection that is not kept', SENDING, {}, SHOWN.slice(1), /record 3 is not kept/],
    [
      'a rejection with another code',
      SENDING,
      {},
      [SHOWN[0] as ShownRejection, shown(2, '{"a":1}', { code: 'malformed-body' })],
      /record 2 is not kept/,
    ],
    ['a rejection too many', SENDING, {}, [...SHOWN, shown(1, GOOD)], /3 rejections, but 2/],
    ['other bytes', SENDING, {}, [SHOWN[0] as ShownRejection, shown(2, '{"a":2}')], /does not have the bytes/],
    [
      'another digest',
      SENDING,
      {},
      [SHOWN[0] as ShownRejection, shown(2, '{"a":1}', { digest: hash('sha256', '') })],
      /does not have the bytes/,
    ],
    [
      'a beginning that is said to be all',
      SENDING,
      {},
      [SHOWN[0] as ShownRejection, shown(2, '{"a":1}', { rawText: '{' })],
      /does not have the bytes/,
    ],
    [
      'the bytes of another record',
      oneIsBroken,
      {},
      [shown(3, '{"b":2}'), shown(2, '{"b":2}')],
      /record 2.* does not have the bytes/,
    ],
    [
      'a good record that is rejected',
      { ...oneIsBroken, records: oneIsBroken.records.map((one) => ({ ...one, isBroken: false })) },
      {},
      SHOWN,
      /record 2 should not be rejected/,
    ],
    ['an error of the server', SENDING, { status: 500 }, SHOWN, /status 500/],
    ['a stream that breaks off in silence', SENDING, { code: 'malformed-body' }, SHOWN, /broke off/],
  ])('reports %s', (_what, sending, outcome, found, fault) => {
    expect(compare(sending, { ...OUTCOME, ...outcome }, found).faults.join('\n')).toMatch(fault);
  });
});
