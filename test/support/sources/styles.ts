import { createHmac, generateKeyPairSync, hash, sign, type KeyObject } from 'node:crypto';
import type { Verification } from '../../../src/sources/verification/verification';
import { NOW_SECONDS, type Sent } from './received';

export interface Signing {
  /** Which of the secrets signs. */
  secret: string;
  /** Seconds since 1970. */
  at: number;
  /** Changes the signature before it is encoded. */
  spoil: (signature: Buffer) => Buffer;
}

/** A way to sign requests, as some provider does. */
export interface SigningStyle {
  name: string;
  rule: Verification;
  /** The right one, and one that is not. */
  secrets: readonly [string, string];
  /** Headers without which a request must be refused, and of which every change must be. */
  headers: readonly string[];
  /** Whether every byte of the body is signed. */
  coversBody: boolean;
  /** Whether the age of a signature is limited, to 300 seconds. */
  isTimed: boolean;
  request: (signing: Signing) => Sent;
}

const BODY = '{"id":"evt_1","päid":12345678901234567890,"list":[1,2]}';
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const KEYS = ['first secret of sixteen', 'second secret of sixteen'] as const;
const BASE64_KEYS = KEYS.map((key) => `whsec_${Buffer.from(key).toString('base64')}`) as [string, string];
const HEX_KEYS = KEYS.map((key) => Buffer.from(key).toString('hex')) as [string, string];
const timestamp = { toleranceSeconds: 300 };

type Algorithm = 'sha1' | 'sha256' | 'sha512';
const hmac = (algorithm: Algorithm, key: string | Buffer, text: string): Buffer =>
  createHmac(algorithm, key).update(text).digest();

function hmacStyles(): SigningStyle[] {
  const base = { scheme: 'hmac', algorithm: 'sha256' } as const;
  return [
    {
      name: 'GitHub: hex after a prefix',
      rule: { ...base, encoding: 'hex', header: 'x-hub-signature-256', prefix: 'sha256=', signed: '{body}' },
      secrets: KEYS,
      headers: ['x-hub-signature-256'],
      coversBody: true,
      isTimed: false,
      request: ({ secret, spoil }) => ({
        headers: { 'x-hub-signature-256': `sha256=${spoil(hmac('sha256', secret, BODY)).toString('hex')}` },
        body: BODY,
      }),
    },
    {
      name: 'Stripe: named parts',
      rule: {
        ...base,
        encoding: 'hex',
        header: 'stripe-signature',
        part: 'v1',
        signed: '{header:stripe-signature/t}.{body}',
        timestamp: { ...timestamp, header: 'stripe-signature', part: 't' },
      },
      secrets: KEYS,
      headers: ['stripe-signature'],
      coversBody: true,
      isTimed: true,
      request: ({ secret, at, spoil }) => ({
        headers: { 'stripe-signature': `t=${at},v1=${spoil(hmac('sha256', secret, `${at}.${BODY}`)).toString('hex')}` },
        body: BODY,
      }),
    },
    {
      name: 'Standard Webhooks: base64 and a decoded key',
      rule: {
        ...base,
        encoding: 'base64',
        secretEncoding: 'whsec',
        header: 'webhook-signature',
        prefix: 'v1,',
        separator: ' ',
        signed: '{header:webhook-id}.{header:webhook-timestamp}.{body}',
        timestamp: { ...timestamp, header: 'webhook-timestamp' },
      },
      secrets: BASE64_KEYS,
      headers: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
      coversBody: true,
      isTimed: true,
      request: ({ secret, at, spoil }) => {
        const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
        const signature = spoil(hmac('sha256', key, `msg_1.${at}.${BODY}`)).toString('base64');
        const headers = {
          'webhook-id': 'msg_1',
          'webhook-timestamp': String(at),
          'webhook-signature': `v1,${signature}`,
        };
        return { headers, body: BODY };
      },
    },
    {
      name: 'HubSpot: method, decoded URL, body and milliseconds',
      rule: {
        ...base,
        encoding: 'base64',
        header: 'x-hubspot-signature-v3',
        signed: '{method}{decodedUrl}{body}{header:x-hubspot-request-timestamp}',
        timestamp: { ...timestamp, header: 'x-hubspot-request-timestamp', unit: 'ms' },
      },
      secrets: KEYS,
      headers: ['x-hubspot-signature-v3', 'x-hubspot-request-timestamp'],
      coversBody: true,
      isTimed: true,
      request: ({ secret, at, spoil }) => {
        const text = `POSThttps://hooks.example.com/in/tok/a:b?c=@d%20e${BODY}${at * 1000}`;
        const signature = spoil(hmac('sha256', secret, text)).toString('base64');
        const headers = { 'x-hubspot-request-timestamp': String(at * 1000), 'x-hubspot-signature-v3': signature };
        return { url: 'https://hooks.example.com/in/tok/a%3Ab?c=%40d%20e', headers, body: BODY };
      },
    },
    {
      name: 'a hex key, SHA-512 and RFC 3339',
      rule: {
        ...base,
        algorithm: 'sha512',
        encoding: 'hex',
        secretEncoding: 'hex',
        header: 'X-Signature',
        signed: '{method}|{path}|{header:X-Time}|{sha256}',
        timestamp: { ...timestamp, header: 'X-Time', unit: 'rfc3339' },
      },
      secrets: HEX_KEYS,
      headers: ['x-signature', 'x-time'],
      coversBody: true,
      isTimed: true,
      request: ({ secret, at, spoil }) => {
        const time = new Date(at * 1000).toISOString();
        const text = `POST|/orders|${time}|${hash('sha256', BODY)}`;
        const signature = spoil(hmac('sha512', Buffer.from(secret, 'hex'), text)).toString('hex');
        return { path: '/orders', headers: { 'x-signature': signature, 'x-time': time }, body: BODY };
      },
    },
    {
      name: 'Mailgun: a signature in the body',
      rule: {
        ...base,
        encoding: 'hex',
        signature: '{body:/signature/signature}',
        signed: '{body:/signature/timestamp}{body:/signature/token}',
        timestamp: { ...timestamp, value: '{body:/signature/timestamp}' },
      },
      secrets: KEYS,
      headers: [],
      coversBody: false,
      isTimed: true,
      request: ({ secret, at, spoil }) => {
        const signature = spoil(hmac('sha256', secret, `${at}tok`)).toString('hex');
        return {
          headers: JSON_TYPE,
          body: JSON.stringify({ signature: { timestamp: String(at), token: 'tok', signature } }),
        };
      },
    },
    {
      name: 'Twilio: URL and form',
      rule: { ...base, algorithm: 'sha1', encoding: 'base64', header: 'x-twilio-signature', signed: '{url}{form}' },
      secrets: KEYS,
      headers: ['x-twilio-signature', 'content-type'],
      coversBody: true,
      isTimed: false,
      request: ({ secret, spoil }) => {
        const text = 'https://hooks.example.com/in/tok?a=1Bodyhällo wörldMedia1Media2To+1555';
        const signature = spoil(hmac('sha1', secret, text)).toString('base64');
        return {
          url: 'https://hooks.example.com/in/tok?a=1',
          headers: { ...FORM_TYPE, 'x-twilio-signature': signature },
          body: 'To=%2B1555&Media=2&Body=h%C3%A4llo+w%C3%B6rld&Media=1',
        };
      },
    },
    {
      name: 'Twilio: JSON with its digest in the URL',
      rule: {
        ...base,
        algorithm: 'sha1',
        encoding: 'base64',
        header: 'x-twilio-signature',
        signed: '{url}{form?}',
        bodyDigest: { value: '{query:bodySHA256}', algorithm: 'sha256', encoding: 'hex', exceptForms: true },
      },
      secrets: KEYS,
      headers: ['x-twilio-signature'],
      coversBody: true,
      isTimed: false,
      request: ({ secret, spoil }) => {
        const bodySHA256 = hash('sha256', BODY);
        const url = `https://hooks.example.com/in/tok?bodySHA256=${bodySHA256}`;
        const signature = spoil(hmac('sha1', secret, url)).toString('base64');
        return { url, query: { bodySHA256 }, headers: { ...JSON_TYPE, 'x-twilio-signature': signature }, body: BODY };
      },
    },
  ];
}

function keyStyles(): SigningStyle[] {
  const make = (type: 'ed25519' | 'rsa' | 'ec') => {
    if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
    return type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  };
  const privateKeys = new Map<string, KeyObject>();
  const pair = (type: 'ed25519' | 'rsa' | 'ec', write: (key: KeyObject) => string): [string, string] => {
    const texts = [0, 1].map(() => {
      const { publicKey, privateKey } = make(type);
      privateKeys.set(write(publicKey), privateKey);
      return write(publicKey);
    });
    return texts as [string, string];
  };
  const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
  const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
  const raw = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).subarray(12).toString('hex');
  const style = (
    name: string,
    rule: Omit<Extract<Verification, { scheme: 'ed25519' | 'ecdsa' | 'rsa' }>, 'header' | 'encoding' | 'signed'>,
    secrets: readonly [string, string],
    digest: string | null,
  ): SigningStyle => ({
    name,
    rule: {
      ...rule,
      header: 'x-signature',
      encoding: 'base64',
      signed: '{header:x-time}|{body}',
      timestamp: { ...timestamp, header: 'x-time' },
    },
    secrets,
    headers: ['x-signature', 'x-time'],
    coversBody: true,
    isTimed: true,
    request: ({ secret, at, spoil }) => {
      const dsaEncoding = rule.signatureFormat ?? 'der';
      const key = { key: privateKeys.get(secret) as KeyObject, dsaEncoding };
      const signature = spoil(sign(digest, Buffer.from(`${at}|${BODY}`), key)).toString('base64');
      return { headers: { 'x-signature': signature, 'x-time': String(at) }, body: BODY };
    },
  });
  return [
    style('Ed25519 with a raw key', { scheme: 'ed25519', keyEncoding: 'hex' }, pair('ed25519', raw), null),
    style('Ed25519 with a PEM', { scheme: 'ed25519' }, pair('ed25519', pem), null),
    style('ECDSA in DER', { scheme: 'ecdsa', keyEncoding: 'base64' }, pair('ec', spki), 'sha256'),
    style('ECDSA as two numbers', { scheme: 'ecdsa', signatureFormat: 'ieee-p1363' }, pair('ec', pem), 'sha256'),
    style('RSA', { scheme: 'rsa', algorithm: 'sha512' }, pair('rsa', pem), 'sha512'),
  ];
}

/** Styles where the request carries the secret. Their signature is the secret itself. */
function secretStyles(): SigningStyle[] {
  const base = { headers: [] as string[], coversBody: false, isTimed: false, secrets: KEYS };
  const spoilt = ({ secret, spoil }: Signing): string => spoil(Buffer.from(secret)).toString('latin1');
  const basicSecrets = ['user:pässword one', 'user:password two'] as const;
  return [
    {
      ...base,
      name: 'a token in a header',
      rule: { scheme: 'token', header: 'X-Token' },
      headers: ['x-token'],
      request: (signing) => ({ headers: { 'x-token': spoilt(signing) }, body: BODY }),
    },
    {
      ...base,
      name: 'a token after a prefix',
      rule: { scheme: 'token', header: 'authorization', prefix: 'Bearer ' },
      headers: ['authorization'],
      request: (signing) => ({ headers: { authorization: `Bearer ${spoilt(signing)}` }, body: BODY }),
    },
    {
      ...base,
      name: 'a token in the query',
      rule: { scheme: 'token', query: 'code' },
      request: (signing) => ({ query: { code: spoilt(signing) }, body: BODY }),
    },
    {
      ...base,
      name: 'Microsoft Graph: a token in each item',
      rule: { scheme: 'token', value: '{body:/clientState}', each: '/value' },
      request: (signing) => ({
        headers: JSON_TYPE,
        body: JSON.stringify({ value: [{ clientState: signing.secret }, { clientState: spoilt(signing) }] }),
      }),
    },
    {
      ...base,
      name: 'HTTP basic authentication',
      rule: { scheme: 'basic' },
      secrets: basicSecrets,
      headers: ['authorization'],
      request: ({ secret, spoil }) => ({
        headers: { authorization: `Basic ${spoil(Buffer.from(secret)).toString('base64')}` },
        body: BODY,
      }),
    },
  ];
}

export const STYLES: readonly SigningStyle[] = [...hmacStyles(), ...keyStyles(), ...secretStyles()];

export const asSigned = (signature: Buffer): Buffer => signature;

/** Signs with the right secret, now. */
export const rightly = ({ secrets }: SigningStyle): Signing => ({
  secret: secrets[0],
  at: NOW_SECONDS,
  spoil: asSigned,
});
