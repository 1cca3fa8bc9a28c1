import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { JsonDocument } from '../../../../src/expressions/json-document';
import type { HmacVerification, TokenVerification } from '../../../../src/sources/verification/verification';
import { compileVerifier } from '../../../../src/sources/verification/verifiers';
import { compileTemplate } from '../../../../src/sources/request/template';
import { received, type Sent } from '../../../support/sources/received';
import { codeOf, ServedKeys, verified } from '../../../support/sources/verifying';

const SECRET = 'a secret of the source';
const KEY = '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056';
const JSON_TYPE = { 'content-type': 'application/json' };
const base = { scheme: 'hmac', algorithm: 'sha256', encoding: 'hex', header: 'x-sig', signed: '{body}' } as const;
const hex = (text: string, secret = SECRET): string => createHmac('sha256', secret).update(text).digest('hex');

describe('several signatures in one header', () => {
  const rule: HmacVerification = { ...base, prefix: 'v1,', separator: ' ' };
  const sent = (signatures: string[]): Sent => ({ headers: { 'x-sig': signatures.join(' ') }, body: 'b' });
  const right = `v1,${hex('b')}`;

  it.each([
    ['the first', [right, `v1,${hex('x')}`], 'ok'],
    ['the last', [`v1,${hex('x')}`, `v1a,${hex('b')}`, right], 'ok'],
    ['none', [`v1,${hex('x')}`, `v1,${hex('y')}`], 'signature-invalid'],
    ['one of another version', [`v2,${hex('b')}`], 'signature-invalid'],
    ['one that cannot be read, beside', ['v1,zz', right], 'ok'],
    ['one that cannot be read', ['v1,zz'], 'signature-invalid'],
    ['the tenth', [...Array<string>(9).fill(`v1,${hex('x')}`), right], 'ok'],
    ['the eleventh', [...Array<string>(10).fill(`v1,${hex('x')}`), right], 'signature-invalid'],
    ['two of one, with no space', [right + right], 'signature-invalid'],
  ])('%s is right', async (_what, signatures, code) => {
    expect(await codeOf(rule, ['another secret', SECRET], sent(signatures))).toBe(code);
  });

  it('may be parts of one name', async () => {
    const named: HmacVerification = { ...base, part: 'v1' };
    const header = (value: string): Sent => ({ headers: { 'x-sig': value }, body: 'b' });
    expect(await codeOf(named, [SECRET], header(`t=1,v1=${hex('x')},v1=${hex('b')}`))).toBe('ok');
    expect(await codeOf(named, [SECRET], header(`t=1,v0=${hex('b')}`))).toBe('signature-invalid');
    expect(await codeOf(named, [SECRET], header(hex('b')))).toBe('signature-invalid');
  });
});

describe('a signature in another encoding', () => {
  const digest = createHmac('sha256', SECRET).update('b').digest();
  it.each([
    ['hex', digest.toString('hex'), 'ok'],
    ['hex', digest.toString('hex').toUpperCase(), 'ok'],
    ['hex', digest.toString('base64'), 'signature-invalid'],
    ['hex', `0x${digest.toString('hex')}`, 'signature-invalid'],
    ['hex', `${digest.toString('hex')}\n`, 'ok'],
    ['base64', digest.toString('base64'), 'ok'],
    ['base64', digest.toString('base64url'), 'ok'],
    ['base64', digest.toString('hex'), 'signature-invalid'],
    ['base64', `${digest.toString('base64')}!`, 'signature-invalid'],
    ['base64', '====', 'signature-invalid'],
  ] as const)('%s: %j', async (encoding, signature, code) => {
    expect(await codeOf({ ...base, encoding }, [SECRET], { headers: { 'x-sig': signature }, body: 'b' })).toBe(code);
  });
});

describe('a key that is not as its rule says', () => {
  it.each([
    ['hex', 'zz'],
    ['hex', 'abc'],
    ['base64', 'A'],
    ['base64', '='],
    ['whsec', 'whsec_'],
    ['whsec', 'whsec_!'],
  ] as const)('%s: %j', async (secretEncoding, secret) => {
    await expect(codeOf({ ...base, secretEncoding }, [secret], {})).rejects.toMatchObject({ name: 'SecretError' });
  });

  it('is not quoted', async () => {
    const rule = { ...base, secretEncoding: 'hex' as const };
    await expect(codeOf(rule, ['my secret'], {})).rejects.not.toThrow('my secret');
    const key = { scheme: 'ed25519', header: 'x', encoding: 'hex', signed: '{body}' } as const;
    await expect(codeOf(key, ['my secret'], {})).rejects.not.toThrow('my secret');
    await expect(codeOf({ scheme: 'basic' }, ['my secret'], {})).rejects.not.toThrow('my secret');
  });
});

describe('a list whose items are signed one by one', () => {
  /** As Adyen signs. */
  const rule: HmacVerification = {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    secretEncoding: 'hex',
    each: '/notificationItems',
    signature: '{body:/NotificationRequestItem/additionalData/hmacSignature}',
    signed: [
      'pspReference',
      'originalReference?',
      'merchantAccountCode',
      'amount/value',
      'amount/currency',
      'eventCode',
      'success',
    ]
      .map((name) => `{body:/NotificationRequestItem/${name}}`)
      .join(':'),
  };
  type Item = Record<string, unknown>;
  const item = (change: Item = {}): Item => ({
    pspReference: 'QFQT',
    merchantAccountCode: 'Shop:EU',
    amount: { currency: 'EUR', value: 1130 },
    eventCode: 'AUTHORISATION',
    success: 'true',
    ...change,
  });
  const signed = (fields: Item, key = KEY): Item => {
    const { pspReference, originalReference = '', merchantAccountCode, amount, eventCode, success } = fields;
    const { value, currency } = amount as Item;
    const text = [pspReference, originalReference, merchantAccountCode, value, currency, eventCode, success].join(':');
    const hmacSignature = createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('base64');
    return { ...fields, additionalData: { hmacSignature } };
  };
  const sent = (...items: unknown[]): Sent => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ notificationItems: items.map((one) => ({ NotificationRequestItem: one })) }),
  });
  const other = KEY.replace('4', '5');

  it('is accepted when every item is right', async () => {
    const second = signed(item({ originalReference: 'QFQS' }), other);
    expect(await codeOf(rule, [KEY, other], sent(signed(item())))).toBe('ok');
    expect(await codeOf(rule, [KEY, other], sent(signed(item()), second))).toBe('ok');
    expect(await codeOf(rule, [KEY], sent(signed(item()), second))).toBe('signature-invalid');
  });

  it.each<[string, unknown[], string]>([
    ['no item', [], 'signature-missing'],
    ['one item that is not signed', [signed(item()), item()], 'signature-missing'],
    ['one item that was changed', [{ ...signed(item()), success: 'false' }, signed(item())], 'signature-invalid'],
    [
      'one changed number',
      [signed(item()), { ...signed(item()), amount: { currency: 'EUR', value: 1131 } }],
      'signature-invalid',
    ],
    [
      'one with the signature of another',
      [signed(item()), { ...item({ pspReference: 'X' }), additionalData: signed(item()).additionalData }],
      'signature-invalid',
    ],
    ['one null', [signed(item()), null], 'signature-missing'],
    ['one text', [signed(item()), 'x'], 'signature-missing'],
    ['an optional field that is an object', [{ ...signed(item()), originalReference: {} }], 'signature-missing'],
  ])('is refused with %s', async (_what, items, code) => {
    expect(await codeOf(rule, [KEY], sent(...items))).toBe(code);
  });

  it.each([
    '{}',
    '[]',
    '{"notificationItems":{}}',
    '{"notificationItems":null}',
    '{"notificationItems":"x"}',
    '{',
    'null',
    '1',
  ])('is refused in the body %s', async (body) => {
    expect(await codeOf(rule, [KEY], { headers: JSON_TYPE, body })).toBe('signature-missing');
  });

  it('may be a list of tokens, as of Microsoft Graph, or the whole body', async () => {
    const graph: TokenVerification = { scheme: 'token', value: '{body:/clientState}', each: '/value' };
    const states = (...list: unknown[]): Sent => ({
      headers: JSON_TYPE,
      body: JSON.stringify({ value: list.map((clientState) => ({ clientState })) }),
    });
    expect(await codeOf(graph, [SECRET], states(SECRET, SECRET))).toBe('ok');
    expect(await codeOf(graph, [SECRET], states(SECRET, 'x'))).toBe('signature-invalid');
    expect(await codeOf(graph, [SECRET], states(SECRET, undefined))).toBe('signature-missing');
    expect(await codeOf(graph, [SECRET], states(SECRET, [SECRET]))).toBe('signature-missing');
    expect(await codeOf(graph, [SECRET], states())).toBe('signature-missing');
    const whole: Sent = { headers: JSON_TYPE, body: JSON.stringify([{ clientState: SECRET }]) };
    expect(await codeOf({ ...graph, each: '' }, [SECRET], whole)).toBe('ok');
    expect(await codeOf({ ...graph, each: '' }, [SECRET], { headers: JSON_TYPE, body: '[]' })).toBe(
      'signature-missing',
    );
    expect(() => compileVerifier({ ...graph, each: 'value' }, [SECRET], new ServedKeys())).toThrow('JSON Pointer');
  });

  it('has at most 5,000 items', async () => {
    const graph: TokenVerification = { scheme: 'token', value: '{body:/s}', each: '' };
    const list = (length: number): Sent => ({
      headers: JSON_TYPE,
      body: JSON.stringify(Array(length).fill({ s: SECRET })),
    });
    expect(await codeOf(graph, [SECRET], list(5_000))).toBe('ok');
    expect(await codeOf(graph, [SECRET], list(5_001))).toBe('signature-invalid');
  });

  it('costs a stranger as much as one item', async () => {
    const reads = jest.spyOn(JsonDocument.prototype, 'at');
    const readsFor = async (length: number): Promise<number> => {
      reads.mockClear();
      const items = Array.from({ length }, () => signed(item(), other));
      expect(await codeOf(rule, [KEY], sent(...items))).toBe('signature-invalid');
      return reads.mock.calls.length;
    };
    expect(await readsFor(1_000)).toBe(await readsFor(1));
    reads.mockRestore();
  });
});

describe('a digest of the body in place of the body', () => {
  const rule = { ...base, signed: '{url}{form?}' };
  it('and fields of a form need each other', () => {
    const digest = { value: '{query:bodySHA256}', algorithm: 'sha256', encoding: 'hex' } as const;
    const compile = (one: HmacVerification) => () => compileVerifier(one, [SECRET], new ServedKeys());
    expect(compile(rule)).toThrow('need each other');
    expect(compile({ ...rule, bodyDigest: digest })).toThrow('need each other');
    expect(compile({ ...rule, signed: '{url}', bodyDigest: { ...digest, exceptForms: true } })).toThrow(
      'need each other',
    );
  });
});

describe('networks', () => {
  it('are checked before the signature', async () => {
    const rule = { ...base, allow: ['198.51.100.0/24', '2001:db8::/32'] };
    const sent: Sent = { headers: { 'x-sig': hex('b') }, body: 'b' };
    expect(await codeOf(rule, [SECRET], { ...sent, address: '198.51.100.9' })).toBe('ok');
    expect(await codeOf(rule, [SECRET], { ...sent, address: '::ffff:198.51.100.9' })).toBe('ok');
    expect(await codeOf(rule, [SECRET], { ...sent, address: '203.0.113.7' })).toBe('address-not-allowed');
    expect(await codeOf(rule, [SECRET], { ...sent, address: 'unknown' })).toBe('address-not-allowed');
  });
});

describe('any template', () => {
  const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' }).filter((one) => !/[{}]/.test(one));
  const part = fc.oneof(
    text,
    fc.constantFrom('{body}', '{header:x-a}', '{query:q}', '{method}', '{path}', '{url}', '{sha256}', '{crc32}'),
    fc.constantFrom('{header:x-b/t}', '{header:x-none?}', '{query:none?}'),
  );
  const template = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `${parts.join('')}{body}`);
  const sent = fc.record({
    body: fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    a: text,
    q: text,
    t: fc.stringMatching(/^[0-9a-z]{1,8}$/),
  });

  it('that is rendered and signed is accepted, and refused when a byte of what it names was changed', async () => {
    await fc.assert(
      fc.asyncProperty(template, sent, fc.nat(), fc.nat(), async (signed, { body, a, q, t }, where, bit) => {
        const request: Sent = { body, headers: { 'x-a': a, 'x-b': `t=${t}` }, query: { q }, path: '/p' };
        const rendered = compileTemplate(signed).render(received(request));
        if ('missing' in rendered) throw new Error(rendered.missing);
        const signature = createHmac('sha512', SECRET).update(rendered.bytes).digest('base64');
        const rule: HmacVerification = {
          scheme: 'hmac',
          algorithm: 'sha512',
          encoding: 'base64',
          header: 'x-sig',
          signed,
        };
        const good: Sent = { ...request, headers: { ...request.headers, 'x-sig': signature } };
        expect(await verified(rule, ['another', SECRET], good)).toMatchObject({ verified: true });
        const changed = Buffer.from(body);
        const i = where % body.length;
        changed[i] = (changed[i] as number) ^ (1 << (bit % 8));
        expect(await codeOf(rule, [SECRET], { ...good, body: changed })).toBe('signature-invalid');
        const changes: [string, Sent][] = [
          ['{header:x-a}', { ...good, headers: { ...good.headers, 'x-a': `${a}!` } }],
          ['{header:x-b/t}', { ...good, headers: { ...good.headers, 'x-b': `t=${t}!` } }],
          ['{query:q}', { ...good, query: { q: `${q}!` } }],
          ['{method}', { ...good, method: 'PUT' }],
          ['{url}', { ...good, url: 'https://hooks.example.com/in/tok/p?' }],
          ['{path}', { ...good, path: '/p/' }],
          ['{header:x-none?}', { ...good, headers: { ...good.headers, 'x-none': '!' } }],
        ];
        for (const [name, other] of changes) {
          if (signed.includes(name)) expect(await codeOf(rule, [SECRET], other)).toBe('signature-invalid');
        }
      }),
      { numRuns: 300 },
    );
  });
});
