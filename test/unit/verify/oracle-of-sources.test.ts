import { hash } from 'node:crypto';
import type { Evidence, StoredRejection } from '../../verify/evidence/evidence';
import { checkKeptRejections } from '../../verify/oracle/kept-rejections';
import { checkMetrics } from '../../verify/oracle/metrics';
import { checkRejections } from '../../verify/oracle/rejections';
import { checkSources } from '../../verify/oracle/sources';
import type { Entry } from '../../verify/run/journal';
import { answered, evidence, idOf, NORTH, operator, planned, sent, storedAs } from './given';

const SOURCE = '00000000-0000-7000-8000-000000000001';
const BAD = 'north-broken-0-1';
const BODY = '{"events":[{"ref":"north-0-0"},{"ref":null}]}';
const RECORDS = ['{"ref":"north-0-0"}', '{"ref":null}'];
const toSource = { id: SOURCE, body: BODY, records: RECORDS };

const list = (codes: (string | null)[] = [null, 'invalid-event']): Entry =>
  sent(NORTH, { names: [NORTH, BAD], codes, toSource });
const answer = (fields: object = {}): Entry =>
  answered(
    NORTH,
    {},
    {
      status: 200,
      result: 'rejected',
      told: [
        { record: 1, name: NORTH, outcome: 'accepted', fields: { id: idOf(NORTH) } },
        { record: 2, name: BAD, outcome: 'rejected', code: 'invalid-event' },
      ],
      ...fields,
    },
  );
const kept = (fields: Partial<StoredRejection> = {}): StoredRejection => ({
  tenant: 'north',
  type: null,
  sourceId: SOURCE,
  code: 'invalid-event',
  recordNumber: 2,
  correlationId: 'request-0',
  sizeBytes: 12,
  digest: hash('sha256', '{"ref":null}', 'hex'),
  body: '{"ref":null}',
  isErased: false,
  ...fields,
});

/** A list of two records, of which the second had to be rejected. */
function given(change: Partial<Evidence> = {}, journal: readonly Entry[] = [list(), answer()]): Evidence {
  return evidence({
    journal,
    sent: new Map([[NORTH, planned(NORTH, { sourceId: SOURCE })]]),
    stored: [storedAs(NORTH, { sourceId: SOURCE, rawBody: BODY })],
    rejections: [kept()],
    ...change,
  });
}
const stored = (fields: object): Partial<Evidence> => ({
  stored: [storedAs(NORTH, { sourceId: SOURCE, rawBody: BODY, ...fields })],
});
const breaches = (of: Evidence): string[] =>
  [...checkSources(of), ...checkKeptRejections(of)].map(({ breach }) => breach);

describe('what the oracle says of sources', () => {
  it('is nothing where all was kept as it was sent', () => {
    expect(breaches(given())).toEqual([]);
    expect(breaches(evidence())).toEqual([]);
  });

  it('is nothing of a rejection that was kept and never answered', () => {
    expect(breaches(given({}, [list()]))).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ['an event without its source', stored({ sourceId: null }), 'changed'],
    ['an event of another source', stored({ sourceId: 'another' }), 'changed'],
    ['an event without its request', stored({ rawBody: null }), 'changed'],
    ['a request that was cut', stored({ rawBody: BODY.slice(0, 20) }), 'changed'],
    ['an event that came with another request', stored({ correlationId: 'request-7' }), 'changed'],
    ['a rejection that is not kept', { rejections: [] }, 'rejection'],
    ['a rejection that is kept twice', { rejections: [kept(), kept()] }, 'rejection'],
    ['a rejection with another code', { rejections: [kept({ code: 'malformed-body' })] }, 'rejection'],
    ['a rejection of another source', { rejections: [kept({ sourceId: 'another' })] }, 'rejection'],
    ['a rejection with other bytes', { rejections: [kept({ body: '{' })] }, 'rejection'],
    ['a rejection with another size', { rejections: [kept({ sizeBytes: 1 })] }, 'rejection'],
    ['a rejection with another digest', { rejections: [kept({ digest: '' })] }, 'rejection'],
    ['a rejection of a good record', { rejections: [kept(), kept({ recordNumber: 1 })] }, 'rejection'],
    ['a rejection that nobody sent', { rejections: [kept(), kept({ correlationId: 'request-9' })] }, 'rejection'],
  ])('is a violation for %s', (_what, change, breach) => {
    expect(breaches(given(change))).toEqual([breach]);
  });

  it('of a request without a source is that a rejected record is kept, unless its response says that it is not', () => {
    const text = '{"subject":"x"}';
    const single = sent(NORTH, { names: [BAD], codes: ['invalid-event'], refused: [text] });
    const told = (fields: object = {}): Entry =>
      answered(
        NORTH,
        {},
        { status: 400, told: [{ record: 1, name: BAD, outcome: 'rejected', code: 'invalid-event', ...fields }] },
      );
    const digest = hash('sha256', text, 'hex');
    const whole = kept({ sourceId: null, recordNumber: null, body: text, sizeBytes: text.length, digest });
    const found = (rejections: StoredRejection[], answer: Entry): string[] =>
      breaches(evidence({ journal: [single, answer], rejections }));
    expect(found([whole], told())).toEqual([]);
    expect(found([], told())).toEqual(['rejection']);
    expect(found([], told({ kept: false }))).toEqual([]);
    expect(found([{ ...whole, sourceId: SOURCE }], told())).toEqual(['rejection']);
    expect(found([{ ...whole, body: '' }], told())).toEqual(['rejection']);
  });

  it('is a violation for anything that is kept of a request with a wrong signature', () => {
    const refused = list(['signature-invalid', 'signature-invalid']);
    expect(breaches(given({ stored: [] }, [refused]))).toEqual(['rejection']);
    expect(breaches(given({ stored: [], rejections: [] }, [refused]))).toEqual([]);
  });

  it('takes a refused signature for what it is, with the right code', () => {
    const told = (code: string) =>
      answer({ status: 401, result: 'unverified', told: [{ record: 1, name: NORTH, outcome: 'unverified', code }] });
    const codes = ['signature-expired', 'signature-expired'];
    const found = (code: string) => checkRejections(given({}, [list(codes), told(code)])).length;
    expect([found('signature-expired'), found('signature-invalid')]).toEqual([0, 1]);
  });

  it('is a violation for a request that a paused source took', () => {
    const set = (status: string, sentMs: number): Entry =>
      operator({
        action: 'source.switch',
        request: { status },
        status: 200,
        body: { id: SOURCE },
        sentMs,
        atMs: sentMs + 50,
      });
    const found = (...switches: Entry[]): string[] => breaches(given({}, [list(), answer(), ...switches]));
    expect(found(set('paused', 800), set('active', 1_200))).toEqual(['operator']);
    expect(found(set('paused', 880), set('active', 1_200))).toEqual([]); // sent before it was answered
    expect(found(set('paused', 800), set('active', 1_050))).toEqual([]);
  });

  it.each([
    ['too few', 0],
    ['too many', 2],
  ])('is a violation for a metric that counts %s requests', (_what, counted) => {
    const started: Entry = { atMs: 1, kind: 'started', process: 'api-0', pid: 1, url: 'http://api-0' };
    const scraped = (value: number): Entry => ({
      atMs: 20_000,
      kind: 'scraped',
      process: 'api-0',
      pid: 1,
      values: {
        'streamforge_source_requests_total{provider="custom",result="rejected"}': value,
        'streamforge_ingest_total{source="source",status="accepted"}': 1,
        'streamforge_ingest_total{source="source",status="rejected"}': 1,
      },
    });
    const found = (value: number): string[] =>
      checkMetrics(given({}, [started, list(), answer(), scraped(value)]))
        .map(({ text }) => text)
        .filter((text) => text.includes('requests of sources'));
    expect([found(1).length, found(counted).length]).toEqual([0, 1]);
  });
});
