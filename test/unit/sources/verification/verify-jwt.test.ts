import { generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { exportJWK, SignJWT, UnsecuredJWT, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { JwtVerification } from '../../../../src/sources/verification/verification';
import { compileVerifier } from '../../../../src/sources/verification/verifiers';
import { NOW_SECONDS } from '../../../support/sources/received';
import { codeOf, ServedKeys, verified } from '../../../support/sources/verifying';

const URL = 'https://issuer.example.com/keys';
const SECRET = 'a secret that is long enough to sign';
const BODY = '{"id":1}';
const PAYLOAD = { iss: 'https://issuer.example.com', aud: 'streamforge', iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');

const bySecret: JwtVerification = { scheme: 'jwt', algorithms: ['HS256'] };
const byKey: JwtVerification = {
  scheme: 'jwt',
  jwksUrl: URL,
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  issuer: PAYLOAD.iss,
  audience: PAYLOAD.aud,
};

let keySet: JSONWebKeySet;
beforeAll(async () => {
  keySet = {
    keys: [
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
      { ...(await exportJWK(ec.publicKey)), kid: 'ec' },
      { ...(await exportJWK(ed.publicKey)), kid: 'ed' },
    ],
  };
});

const signed = (key: KeyObject | string, alg: string, payload: JWTPayload = PAYLOAD, kid?: string): Promise<string> =>
  new SignJWT(payload)
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .sign(typeof key === 'string' ? Buffer.from(key) : key);

const bearer = (token: string, body = BODY) => ({ headers: { authorization: `Bearer ${token}` }, body });
const served = (set = keySet, newest = set) => new ServedKeys({}, { [URL]: set, [`${URL}#new`]: newest });

describe('a token that is signed with a secret', () => {
  it('is accepted, with each of two secrets', async () => {
    const token = await signed(SECRET, 'HS256');
    expect(await verified(bySecret, [SECRET], bearer(token))).toEqual({ verified: true, keyHint: '…sign' });
    expect(await verified(bySecret, ['another one', SECRET], bearer(token))).toMatchObject({ keyHint: '…sign' });
    expect(await codeOf(bySecret, ['another one'], bearer(token))).toBe('signature-invalid');
    expect(await codeOf(bySecret, [], bearer(token))).toBe('signature-invalid');
  });

  it('may be in a header of its own, without or with a prefix', async () => {
    const token = await signed(SECRET, 'HS256');
    const rule = { ...bySecret, header: 'X-Token' };
    expect(await codeOf(rule, [SECRET], { headers: { 'x-token': token } })).toBe('ok');
    expect(await codeOf({ ...rule, prefix: 'v1=' }, [SECRET], { headers: { 'x-token': `v1=${token}` } })).toBe('ok');
    expect(await codeOf({ ...rule, prefix: 'v1=' }, [SECRET], { headers: { 'x-token': token } })).toBe(
      'signature-invalid',
    );
    expect(await codeOf(bySecret, [SECRET], { headers: { authorization: `bearer ${token}` } })).toBe('ok');
  });

  it.each([
    ['no token', undefined, 'signature-missing'],
    ['an empty one', '', 'signature-invalid'],
    ['another scheme', 'Basic YTpi', 'signature-invalid'],
    ['no JWT', 'Bearer abc', 'signature-invalid'],
    ['two tokens', 'Bearer a.b.c, Bearer a.b.c', 'signature-invalid'],
  ])('is refused: %s', async (_what, authorization, code) => {
    expect(await codeOf(bySecret, [SECRET], { headers: { authorization } })).toBe(code);
  });

  it('is refused when a byte of it was changed', async () => {
    const token = await signed(SECRET, 'HS256');
    for (let i = 0; i < token.length - 1; i++) {
      const changed = `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`;
      expect(await codeOf(bySecret, [SECRET], bearer(changed))).toBe('signature-invalid');
    }
  });
});

describe('the claims of a token', () => {
  it.each([
    ['expired', { exp: NOW_SECONDS - 31 }, {}, 'signature-expired'],
    ['expired within the tolerance of clocks', { exp: NOW_SECONDS - 29 }, {}, 'ok'],
    ['not yet valid', { nbf: NOW_SECONDS + 31 }, {}, 'signature-expired'],
    ['without an end', { exp: undefined }, {}, 'signature-invalid'],
    ['without an end, where its age is limited', { exp: undefined }, { toleranceSeconds: 300 }, 'ok'],
    ['too old', { iat: NOW_SECONDS - 331 }, { toleranceSeconds: 300 }, 'signature-expired'],
    ['from the future', { iat: NOW_SECONDS + 31 }, { toleranceSeconds: 300 }, 'signature-expired'],
    ['of another issuer', { iss: 'https://evil.example' }, { issuer: PAYLOAD.iss }, 'signature-invalid'],
    ['for somebody else', { aud: 'others' }, { audience: 'streamforge' }, 'signature-invalid'],
    ['without an audience', { aud: undefined }, { audience: 'streamforge' }, 'signature-invalid'],
  ])('%s', async (_what, claims, options, code) => {
    const token = await signed(SECRET, 'HS256', { ...PAYLOAD, ...claims });
    expect(await codeOf({ ...bySecret, ...options }, [SECRET, 'another one'], bearer(token))).toBe(code);
    expect(await codeOf({ ...bySecret, ...options }, ['another one'], bearer(token))).toBe('signature-invalid');
  });

  it('are not told to somebody without the secret', async () => {
    const token = await signed('guess', 'HS256', { ...PAYLOAD, exp: 1 });
    expect(await verified(bySecret, [SECRET], bearer(token))).toMatchObject({
      reason: 'The token is not signed with a key of this source.',
    });
  });

  it('may hold a digest of the body', async () => {
    const bodyDigest = { claim: 'payload_hash', algorithm: 'sha256' as const, encoding: 'hex' as const };
    const rule = { ...bySecret, bodyDigest };
    const token = await signed(SECRET, 'HS256', { ...PAYLOAD, payload_hash: hash('sha256', BODY) });
    expect(await codeOf(rule, [SECRET], bearer(token))).toBe('ok');
    expect(await codeOf(rule, [SECRET], bearer(token, '{"id":2}'))).toBe('signature-invalid');
    expect(await codeOf(rule, [SECRET], bearer(await signed(SECRET, 'HS256')))).toBe('signature-invalid');
    const base64 = { ...rule, bodyDigest: { ...bodyDigest, encoding: 'base64' as const } };
    const urlSafe = await signed(SECRET, 'HS256', { ...PAYLOAD, payload_hash: hash('sha256', BODY, 'base64url') });
    expect(await codeOf(base64, [SECRET], bearer(urlSafe))).toBe('ok');
  });
});

describe('a token that is signed with a key of the provider', () => {
  it.each([
    ['RS256', rsa.privateKey, 'rsa'],
    ['ES256', ec.privateKey, 'ec'],
    ['EdDSA', ed.privateKey, 'ed'],
  ])('is accepted: %s', async (algorithm, key, kid) => {
    const token = await signed(key, algorithm, PAYLOAD, kid);
    expect(await verified(byKey, [], bearer(token), served())).toEqual({ verified: true, keyHint: undefined });
  });

  it('may name no key', async () => {
    const twice = { keys: [...keySet.keys, { ...(await exportJWK(other.publicKey)), kid: 'other' }] };
    expect(await codeOf(byKey, [], bearer(await signed(other.privateKey, 'EdDSA')), served(twice))).toBe('ok');
    expect(await codeOf(byKey, [], bearer(await signed(other.privateKey, 'EdDSA')), served())).toBe(
      'signature-invalid',
    );
  });

  it('is accepted when the provider has a new key, which is fetched once', async () => {
    const newest = { keys: [{ ...(await exportJWK(other.publicKey)), kid: 'new' }] };
    const keys = served(keySet, newest);
    expect(await codeOf(byKey, [], bearer(await signed(other.privateKey, 'EdDSA', PAYLOAD, 'new')), keys)).toBe('ok');
    expect(keys.asked).toEqual([URL, `${URL}#new`]);
    expect(await codeOf(byKey, [], bearer(await signed(other.privateKey, 'EdDSA', PAYLOAD, 'x')), keys)).toBe(
      'signature-invalid',
    );
  });

  it('is refused with a key of somebody else', async () => {
    expect(await codeOf(byKey, [], bearer(await signed(other.privateKey, 'EdDSA', PAYLOAD, 'ed')), served())).toBe(
      'signature-invalid',
    );
  });

  it.each(['the public key as a secret', 'no signature', 'a secret in the key set'])(
    'is refused with %s',
    async (what) => {
      const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
      const token =
        what === 'no signature' ? new UnsecuredJWT(PAYLOAD).encode() : await signed(pem, 'HS256', PAYLOAD, 'rsa');
      const set = { keys: [...keySet.keys, { kty: 'oct', k: Buffer.from(pem).toString('base64url'), kid: 'rsa' }] };
      expect(await codeOf(byKey, [], bearer(token), served(what.includes('set') ? set : keySet))).toBe(
        'signature-invalid',
      );
    },
  );

  it('is refused, and not an error, when the key in the set cannot be used', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const set = { keys: [{ ...(await exportJWK(short.publicKey)), kid: 'rsa' }] };
    expect(await codeOf(byKey, [], bearer(await signed(rsa.privateKey, 'RS256', PAYLOAD, 'rsa')), served(set))).toBe(
      'signature-invalid',
    );
  });

  it('is a problem of the provider when its keys cannot be fetched', async () => {
    const keys = new ServedKeys();
    await expect(codeOf(byKey, [], bearer(await signed(ed.privateKey, 'EdDSA')), keys)).rejects.toMatchObject({
      code: 'provider-unavailable',
    });
  });
});

describe('a rule for tokens', () => {
  it.each([
    ['none', { algorithms: ['none'] }],
    ['nothing', { algorithms: [] }],
    ['keys that are secrets', { algorithms: ['RS256'] }],
    ['secrets that everybody can read', { algorithms: ['RS256', 'HS256'], jwksUrl: URL }],
    ['none with keys', { algorithms: ['none'], jwksUrl: URL }],
    ['keys of a provider for everybody', { algorithms: ['RS256'], jwksUrl: URL, audience: undefined }],
    ['http', { algorithms: ['RS256'], jwksUrl: 'http://issuer.example.com/keys' }],
  ])('does not allow %s', (_what, rule) => {
    expect(() => compileVerifier({ scheme: 'jwt', audience: 'us', ...rule }, [], new ServedKeys())).toThrow(
      /must be|give audience/,
    );
  });
});
