import * as fc from 'fast-check';
import { JsonDocument } from '../../../../src/expressions/json-document';
import {
  headerRule,
  maskedBeginning,
  maskedHeader,
  maskedPath,
  maskedQuery,
  maskOf,
  secretsInBody,
  type MaskedVerification,
} from '../../../../src/sources/inspector/mask';

const NONE: MaskedVerification = { scheme: 'none' };
const HMAC: MaskedVerification = {
  scheme: 'hmac',
  header: 'X-Webhook-Token',
  signed: '{header:x-request-token/t}.{query:nonce_token}.{body}',
  timestamp: { header: 'X-Time-Token' },
  bodyDigest: { value: '{query:digest_token}' },
};
const header = (name: string, value: string, verification = NONE, secrets: string[] = []): string => {
  const mask = maskOf(verification, secrets);
  return maskedHeader(headerRule(name.toLowerCase(), mask), value, mask);
};
const query = (name: string, value: string | string[], verification = NONE, secrets: string[] = []) =>
  maskedQuery({ [name]: value }, maskOf(verification, secrets))[name];

describe('the path of a request', () => {
  it('is masked where it is a secret, right or wrong, and where a secret occurs in it', () => {
    expect(maskedPath('/wrong', maskOf({ scheme: 'token', value: '{path}' }))).toBe('***');
    expect(maskedPath('', maskOf({ scheme: 'token', value: '{path}' }))).toBe('');
    expect(maskedPath('/a/secret-1/b', maskOf({ scheme: 'none' }, ['secret-1']))).toBe('/a/***/b');
    expect(maskedPath('/a/b', maskOf(HMAC, ['secret-1']))).toBe('/a/b');
  });
});

describe('a header of a request', () => {
  it.each([
    ['authorization', 'Bearer abc', 'Bearer ***'],
    ['Authorization', 'basic dTpw', 'basic ***'],
    ['authorization', 'opaque words', '***'],
    ['proxy-authorization', 'x', '***'],
    ['cookie', 'a=b; c=d', '***'],
    ['x-gitlab-token', 'abc', '***'],
    ['X-Auth-Token', 'abc', '***'],
    ['x-amz-security-token', 'abc', '***'],
    ['x-api-key', 'abc', '***'],
    ['apikey', 'abc', '***'],
    ['x-client-secret', 'abc', '***'],
    ['x-password', 'abc', '***'],
  ])('is masked by its name: %s', (name, value, expected) => {
    expect(header(name, value)).toBe(expected);
  });

  it.each([
    'x-hub-signature-256',
    'stripe-signature',
    'x-request-id',
    'content-type',
    'x-tokens-left',
    'idempotency-key',
    '__proto__',
  ])('is shown: %s', (name) => {
    expect(header(name, 'abc')).toBe('abc');
  });

  it('is shown when it is empty, so that an operator sees that it is', () => {
    expect(header('authorization', '')).toBe('');
  });

  it.each([
    ['by its name', { scheme: 'token', header: 'X-Signature' }, 'x-signature', 'abc', '***'],
    ['with its prefix', { scheme: 'token', header: 'X-Key', prefix: 'Key: ' }, 'x-key', 'Key: abc', 'Key: ***'],
    ['without its prefix', { scheme: 'token', header: 'X-Key', prefix: 'Key: ' }, 'x-key', 'abc', '***'],
    ['by a template', { scheme: 'token', value: '{header:X-Key/part}' }, 'x-key', 'part=abc', '***'],
    ['of basic authentication', { scheme: 'basic' }, 'authorization', 'Basic dTpw', 'Basic ***'],
  ])('is masked when it holds the secret, found %s', (_how, verification, name, value, expected) => {
    expect(header(name, value, verification)).toBe(expected);
  });

  it.each(['x-webhook-token', 'x-request-token', 'X-Time-Token'])('is shown when a signature needs it: %s', (name) => {
    expect(header(name, 'abc')).toBe('***');
    expect(header(name, 'abc', HMAC)).toBe('abc');
  });

  it('is shown when it is a signature in Authorization', () => {
    expect(header('authorization', 'HMAC abc', { scheme: 'hmac', header: 'Authorization', signed: '{body}' })).toBe(
      'HMAC abc',
    );
    expect(header('authorization', 'HMAC abc', HMAC)).toBe('HMAC ***');
  });

  it('shows the claims of a JWT, but not its signature', () => {
    expect(header('authorization', 'Bearer eyJh.eyJp.c2ln', { scheme: 'jwt' })).toBe('Bearer eyJh.eyJp.***');
    expect(header('x-jwt', 'eyJh.eyJp.c2ln', { scheme: 'jwt', header: 'X-Jwt' })).toBe('eyJh.eyJp.***');
    expect(header('authorization', 'Bearer nonsense', { scheme: 'jwt' })).toBe('Bearer ***');
    expect(header('authorization', 'Bearer eyJh.eyJp.c2ln')).toBe('Bearer ***');
  });

  it('never shows a live secret, wherever the producer puts it', () => {
    expect(header('x-other', 'key=s3cr3t!; x', HMAC, ['s3cr3t!'])).toBe('key=***; x');
    expect(header('x-webhook-token', 's3cr3t!', HMAC, ['s3cr3t!'])).toBe('***');
    expect(header('x-other', 'short', HMAC, ['short'])).toBe('short');
    const basic = { scheme: 'basic' };
    expect(header('x-other', 'dTpwYXNzd29yZA==, u:password, password', basic, ['u:password'])).toBe('***, ***, ***');
    expect(header('x-other', 'secret-1-long', HMAC, ['secret-1', 'secret-1-long'])).toBe('***');
  });
});

describe('a query parameter of a request', () => {
  it.each([
    'token',
    'access_token',
    'accessToken',
    'api_key',
    'apiKey',
    'password',
    'client_secret',
    'hub.verify_token',
  ])('is masked by its name: %s', (name) => {
    expect(query(name, 'abc')).toBe('***');
    expect(query(name, ['abc', ''])).toEqual(['***', '']);
  });

  it.each(['code', 'signature', 'sig', 'hub.challenge', 'id', '__proto__'])('is shown: %s', (name) => {
    const shown = maskedQuery(Object.fromEntries([[name, 'abc']]), maskOf(NONE));
    expect(Object.entries(shown)).toEqual([[name, 'abc']]);
  });

  it('is masked when it holds the secret', () => {
    expect(query('code', ['abc', 'def'], { scheme: 'token', query: 'code' })).toEqual(['***', '***']);
    expect(query('code', 'abc', { scheme: 'token', value: 'x{query:code}' })).toBe('***');
    expect(query('Code', 'abc', { scheme: 'token', query: 'code' })).toBe('abc');
    expect(query('x', 'my s3cr3t!', HMAC, ['s3cr3t!'])).toBe('my ***');
  });

  it('is shown when a signature needs it', () => {
    expect(query('nonce_token', 'abc', HMAC)).toBe('abc');
    expect(query('digest_token', 'abc', HMAC)).toBe('abc');
  });
});

describe('the body of a request', () => {
  const GRAPH = maskOf({ scheme: 'token', each: '/value', value: '{body:/clientState}' });
  const shown = (body: string, json = body, mask = GRAPH, maxBytes = 2_048): string =>
    maskedBeginning(Buffer.from(body), secretsInBody(new JsonDocument(json), mask), maxBytes).toString();

  it('is shown without the secrets in it', () => {
    expect(shown('{"value":[{"clientState":"s-1","id":1},{"clientState":"s-22","id":"s-22"},{"id":2}]}')).toBe(
      '{"value":[{"clientState":"***","id":1},{"clientState":"***","id":"***"},{"id":2}]}',
    );
    const single = maskOf({ scheme: 'token', value: '{body:/a~1b/token}' });
    expect(shown('{"a/b":{"token":12345}}', undefined, single)).toBe('{"a/b":{"token":***}}');
  });

  it.each(['{"value":5}', '{"x":1}', '[]', '5', '{"value":[5,null,"x"]}', '{"value":[{"clientState":""}]}'])(
    'is shown as it is when it has no secret: %s',
    (body) => {
      expect(shown(body)).toBe(body);
    },
  );

  it('is shown as it is when the secret is elsewhere', () => {
    const body = '{"token":"abc"}';
    for (const mask of [maskOf(NONE), maskOf(HMAC), maskOf({ scheme: 'token', header: 'x' })])
      expect(shown(body, body, mask)).toBe(body);
  });

  it('is cut only after masking, so that no part of a secret is shown', () => {
    const body = '{"value":[{"clientState":"secret-secret"},{"clientState":"secret-secret"}]}';
    for (let maxBytes = 0; maxBytes < body.length; maxBytes++) {
      const text = shown(body, body, GRAPH, maxBytes);
      expect(text.length).toBeLessThanOrEqual(maxBytes);
      expect(text).not.toContain('se');
    }
  });

  const FORM = maskOf({ scheme: 'token', value: '{body:/token}' });
  it.each([
    ['JSON', '{"token":"a/\\"é&"}'],
    ['JSON of PHP', '{"token":"a\\/\\"\\u00e9&"}'],
    ['a form', 'x=1&token=a%2F%22%C3%A9%26'],
    ['a form in lower case', 'x=1&token=a%2f%22%c3%a9%26'],
    ['multipart', '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\na/"é&\r\n--b--'],
    ['XML', '<token>a/&quot;é&amp;</token>'],
  ])('is masked in %s', (_format, body) => {
    const text = shown(body, JSON.stringify({ token: 'a/"é&' }), FORM);
    expect(text).toContain('***');
    expect(text.length).toBeGreaterThan(10);
    for (const part of ['a/', 'a\\', 'a%', '\u00e9', '%26', '&amp;']) expect(text).not.toContain(part);
  });

  it('is masked as a whole when a secret in it is spelled in an unknown way', () => {
    expect(shown('{"token":"\\u0061bc"}', '{"token":"abc"}', FORM)).toBe('***');
    const many = JSON.stringify({ value: Array.from({ length: 12 }, (_, i) => ({ clientState: `secret ${i}` })) });
    expect(shown(many)).toBe('***');
  });

  it('never shows a secret, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 8, maxLength: 20 }), fc.nat(60), (secret, maxBytes) => {
        const bodies = [
          JSON.stringify({ x: 1, token: secret, y: secret }),
          new URLSearchParams({ x: '1', token: secret }).toString(),
        ];
        for (const body of bodies) {
          const text = shown(body, JSON.stringify({ token: secret }), FORM, maxBytes);
          expect(text).not.toContain(secret.slice(0, 6));
        }
      }),
    );
  });
});
