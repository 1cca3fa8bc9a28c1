import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { fieldsOf } from '../../../../src/admin/sources/source-fields';
import { refuseInvalid } from '../../../../src/admin/sources/rules/check-source';
import type { SourceRequest } from '../../../../src/admin/sources/sources.requests';
import { sharedProcess } from '../../../../src/expressions/expression-process';
import type { Mapping } from '../../../../src/sources/mapping/mapping';
import type { Verdict } from '../../../../src/sources/verification/verdict';
import type { Verification } from '../../../../src/sources/verification/verification';
import { compileVerifier } from '../../../../src/sources/verification/verifiers';
import { asReceived } from '../../../support/sources/as-received';
import { eventsOf } from '../../../support/sources/events-of';
import { load, NO_TOOLS, type SentRequest } from '../../../support/sources/proof';
import type { ConfiguredSample } from './by-configuration/sample';
import { SAMPLES } from './by-configuration/samples';

/** The body of POST /v1/admin/sources. */
type Configuration = Pick<
  SourceRequest,
  'name' | 'provider' | 'secrets' | 'handshake' | 'answers' | 'allowUnverified'
> & {
  verification: Verification;
  mapping: Mapping;
};

const PAGE = readFileSync(path.resolve(__dirname, '../../../../docs/source-providers.md'), 'utf8');
const SECTION = /\n## By configuration\n(.*?)\n## /s.exec(PAGE)?.[1] ?? '';

/** The JSON below each heading of the section. A provider that cannot be configured has none. */
const CONFIGURED = new Map(
  SECTION.split('\n### ').flatMap((text) => {
    const json = /```json\n(.*?)```/s.exec(text)?.[1];
    return json === undefined ? [] : [[text.split('\n', 1)[0] as string, json] as const];
  }),
);

function configurationOf(name: string, { account = {} }: Pick<ConfiguredSample, 'account'> = {}): Configuration {
  let text = CONFIGURED.get(name) ?? '';
  for (const [placeholder, value] of Object.entries(account)) text = text.replaceAll(placeholder, value);
  return JSON.parse(text) as Configuration;
}

async function signed(sample: ConfiguredSample, at: Date): Promise<SentRequest> {
  const { headers, body, secret, sign = (request) => request } = sample;
  const request = {
    method: 'POST',
    url: 'https://in.example.com/in/token',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  };
  return sign(request, secret, at);
}

async function verdictOf(
  verification: Verification,
  { tools = NO_TOOLS }: Pick<ConfiguredSample, 'tools'>,
  secret: string,
  request: SentRequest,
  at: Date,
): Promise<Verdict> {
  return await compileVerifier(verification, [secret], tools)(asReceived(request, at));
}

afterAll(() => sharedProcess.stop());

/** What changes only a part of a preset is tested with the preset. */
const NAMES = [...CONFIGURED.keys()].filter((name) => configurationOf(name).provider === 'custom');

it('every configuration in the documentation has a sample', () => {
  expect(NAMES.length).toBeGreaterThan(15);
  expect(Object.keys(SAMPLES).toSorted()).toEqual(NAMES.toSorted());
});

describe.each(NAMES)('%s, as the documentation says', (name) => {
  const samples = SAMPLES[name] ?? [];

  it('takes the requests of the provider', async () => {
    for (const sample of samples) {
      const { at = new Date(), secret } = sample;
      const { verification, mapping } = configurationOf(name, sample);
      const request = await signed(sample, at);
      expect(await verdictOf(verification, sample, secret, request, at)).toMatchObject({ verified: true });
      const expected = sample.events.map((event) => ({
        eventId: undefined,
        occurredAt: undefined,
        payload: request.headers['content-type'] === 'application/json' ? request.body : (expect.any(String) as string),
        ...event,
      }));
      expect(await eventsOf({ mapping }, asReceived(request, at))).toEqual(expected);
    }
  });

  if (configurationOf(name).verification.scheme !== 'none') {
    it('refuses another secret, and a request without a signature', async () => {
      for (const sample of samples) {
        const { at = new Date(), secret, body } = sample;
        const { verification } = configurationOf(name, sample);
        const request = await signed(sample, at);
        const other = secret.replace(/[0-9a-z]/gi, (one) => (one === 'a' ? 'b' : 'a'));
        expect(await verdictOf(verification, sample, other, request, at)).toMatchObject({ verified: false });
        const unsigned = { ...request, headers: {}, body };
        expect(await verdictOf(verification, sample, secret, unsigned, at)).toMatchObject({ verified: false });
      }
    });
  }
});

it.each([...CONFIGURED.keys()])('%s: the API takes the source', (name) => {
  const { secrets = [], ...fields } = configurationOf(name);
  const pointerOf = (index: number): string => `/secrets/${index}`;
  expect(() => refuseInvalid(fieldsOf(fields), { texts: secrets, pointerOf }, NO_TOOLS)).not.toThrow();
});

interface ReferenceCase {
  name: string;
  valid: boolean;
  method: string;
  url: string;
  payload?: string;
  secret?: string;
  token: string;
  timestamp: string;
}

const REFERENCE = 'messagebird/lib/testdata/webhook-signature-jwt-reference.json';

describe('MessageBird', () => {
  // The cases without a body have tokens without a digest of it. The documentation says that this rule is for JSON.
  it('decides as the reference of its package does about every request that has a body', async () => {
    const { default: reference } = await load<{ default: ReferenceCase[] }>(REFERENCE);
    const cases = reference.filter(({ payload = '' }) => payload !== '');
    expect(cases.length).toBeGreaterThan(15);
    const { verification } = configurationOf('MessageBird');
    for (const { name, method, url, payload = '', secret = '', token, timestamp, valid } of cases) {
      const request = { method, url, headers: { 'messagebird-signature-jwt': token }, body: payload };
      const verdict = await verdictOf(verification, {}, secret, request, new Date(timestamp));
      expect([name, verdict.verified]).toEqual([name, valid]);
    }
  });
});
