import type { SealedSource } from '../../../../src/sources/directory/source';
import { LiveSource } from '../../../../src/sources/directory/live-source';
import type { Mapping } from '../../../../src/sources/mapping/mapping';
import { prepareRequest, type RecordOfRequest } from '../../../../src/sources/intake/prepare-request';
import { RULES } from '../../../support/events';
import { received } from '../../../support/sources/received';

const ROW = {
  id: '0190d0c0-0000-7000-8000-000000000001',
  tenantId: 'acme',
  name: 'till',
  provider: 'custom',
  verification: { scheme: 'none' },
  answers: {},
  accept: null,
  handshake: null,
  secondSecretUntil: null,
  secrets: [] as string[],
} as unknown as SealedSource;

async function recordsOf(mapping: Mapping, body: string): Promise<RecordOfRequest['made'][]> {
  const source = new LiveSource({ ...ROW, mapping }, undefined as never, undefined as never);
  const request = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };
  const verdict = { verified: true, keyHint: undefined } as const;
  const sent = received({ headers: { 'content-type': 'application/json' }, body });
  const context = { source, rules: source.rules(), verdict, request, content: RULES };
  const { records } = await prepareRequest(sent, context);
  return records.map(({ made }) => made);
}

const FIELDS = { records: '/items', eventType: { template: 'sale' }, subject: '/n' };
const items = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, n) => ({ n })));

const codeOf = (made: RecordOfRequest['made'] | undefined): string =>
  made && 'rejection' in made ? made.rejection.code : 'prepared';

describe('a payload that is not the record', () => {
  const body = (padding: number): string => `{"pad":"${'x'.repeat(padding)}","items":${items(1)}}`;

  it('is the size of its event if it is larger than the record', async () => {
    const [made] = await recordsOf({ ...FIELDS, payload: '$body' }, body(1_000));
    expect(made).toMatchObject({ prepared: { event: { sizeBytes: body(1_000).length } } });
    const [small] = await recordsOf({ ...FIELDS, payload: '/n' }, body(1_000));
    expect(small).toMatchObject({ prepared: { event: { sizeBytes: '{"n":0}'.length } } });
  });

  it('is rejected if it is larger than an event may be', async () => {
    const [made] = await recordsOf({ ...FIELDS, payload: '$body' }, body(RULES.MAX_EVENT_BYTES));
    expect(codeOf(made)).toBe('event-too-large');
  });

  it('is rejected once those before it exceed 16 bodies', async () => {
    const large = `{"pad":"${'x'.repeat(200_000)}","items":${items(200)}}`;
    const codes = (await recordsOf({ ...FIELDS, payload: '$body' }, large)).map(codeOf);
    const taken = Math.ceil((16 * 1_048_576) / large.length);
    expect(codes.indexOf('event-too-large')).toBe(taken);
    expect(new Set(codes.slice(taken))).toEqual(new Set(['event-too-large']));
  });

  it('has no common limit where each record is its own payload', async () => {
    const codes = (await recordsOf(FIELDS, `{"items":${items(5_000)}}`)).map(codeOf);
    expect(new Set(codes)).toEqual(new Set(['prepared']));
  });
});
