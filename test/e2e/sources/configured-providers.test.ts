import { createHmac, createPrivateKey, generateKeyPairSync, hash, sign, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Mapping } from '../../../src/sources/mapping/mapping';
import type { Verification } from '../../../src/sources/verification/verification';
import { call } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';
import type { WebhookAnswer } from '../../support/sources/webhooks';

interface Sent {
  headers: Record<string, string>;
  body: string;
}

/** A provider without a preset, as a user would set it up from its documentation. */
interface Configured {
  documentation: string;
  verification: Verification;
  mapping: Mapping;
  secret: string;
  /** The request as the provider sends it at that time. */
  request: (now: Date, id: string, amount?: number) => Sent;
  expected: (id: string) => { type: string; subject: string; eventId: string };
  /** True where the signature does not cover the body. */
  signsNoBody?: boolean;
  /** True where the signature has no time. */
  hasNoTime?: boolean;
  changedTime?: (sent: Sent) => Sent;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const hmac = (algorithm: string, secret: string, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac(algorithm, secret).update(text).digest(encoding);
const unixSeconds = (now: Date): string => String(Math.floor(now.getTime() / 1_000));

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ed25519 = generateKeyPairSync('ed25519');
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

const MAILGUN_KEY = 'a-signing-key-of-mailgun';
const mailgunSignature = (now: Date, id: string) => {
  const token = `token-of-${id}`.padEnd(50, '0');
  const timestamp = unixSeconds(now);
  return { timestamp, token, signature: hmac('sha256', MAILGUN_KEY, timestamp + token, 'hex') };
};

const PROVIDERS: Record<string, Configured> = {
  'Mailgun, whose signature is in the body and does not cover the rest of it': {
    documentation: 'https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks',
    verification: {
      scheme: 'hmac',
      algorithm: 'sha256',
      encoding: 'hex',
      signature: '{body:/signature/signature}',
      signed: '{body:/signature/timestamp}{body:/signature/token}',
      timestamp: { value: '{body:/signature/timestamp}', toleranceSeconds: 600 },
    },
    mapping: {
      eventType: '/event-data/event',
      subject: '/event-data/recipient',
      eventId: '/event-data/id',
      occurredAt: '/event-data/timestamp',
      payload: '/event-data',
    },
    secret: MAILGUN_KEY,
    request: (now, id, amount = 1) => ({
      headers: JSON_TYPE,
      body: JSON.stringify({
        signature: mailgunSignature(now, id),
        'event-data': { event: 'delivered', id, timestamp: 1_789_999_999.25, recipient: 'ada@example.com', amount },
      }),
    }),
    expected: (eventId) => ({ type: 'delivered', subject: 'ada@example.com', eventId }),
    signsNoBody: true,
  },
  'inbound mail of Mailgun, which is a multipart form with a file': {
    documentation: 'https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http',
    verification: {
      scheme: 'hmac',
      algorithm: 'sha256',
      encoding: 'hex',
      signature: '{body:/signature}',
      signed: '{body:/timestamp}{body:/token}',
      timestamp: { value: '{body:/timestamp}', toleranceSeconds: 600 },
    },
    mapping: {
      eventType: { template: 'mail.received' },
      subject: '/recipient',
      eventId: { template: '{body:/Message-Id}' },
    },
    secret: MAILGUN_KEY,
    request: (now, id, amount = 1) => {
      const fields = { ...mailgunSignature(now, id), recipient: 'in@acme.test', 'Message-Id': id, n: String(amount) };
      const parts = Object.entries(fields).map(
        ([name, value]) => `--xyz\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      );
      const file = `--xyz\r\nContent-Disposition: form-data; name="attachment-1"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nHello\r\n`;
      return {
        headers: { 'content-type': 'multipart/form-data; boundary=xyz' },
        body: `${parts.join('')}${file}--xyz--\r\n`,
      };
    },
    expected: (eventId) => ({ type: 'mail.received', subject: 'in@acme.test', eventId }),
    signsNoBody: true,
  },
  'Zendesk, which signs a time in RFC 3339 before the body': {
    documentation: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
    verification: {
      scheme: 'hmac',
      algorithm: 'sha256',
      encoding: 'base64',
      header: 'X-Zendesk-Webhook-Signature',
      signed: '{header:x-zendesk-webhook-signature-timestamp}{body}',
      timestamp: { header: 'X-Zendesk-Webhook-Signature-Timestamp', unit: 'rfc3339', toleranceSeconds: 300 },
    },
    mapping: { eventType: '/type', subject: '/subject', eventId: '/id', occurredAt: '/time' },
    secret: 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==',
    request: (now, id, amount = 1) => {
      const time = `${now.toISOString().slice(0, 19)}Z`;
      const body = `{"account_id":1,"id":"${id}","type":"zen:event-type:ticket.created","subject":"zen:ticket:4711","time":"2025-03-01T10:00:00Z","n":${amount}}`;
      return {
        headers: {
          ...JSON_TYPE,
          'x-zendesk-webhook-signature-timestamp': time,
          'x-zendesk-webhook-signature': hmac(
            'sha256',
            'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==',
            time + body,
            'base64',
          ),
        },
        body,
      };
    },
    expected: (eventId) => ({ type: 'zen:event-type:ticket.created', subject: 'zen:ticket:4711', eventId }),
  },
  'Toast, which signs a time of the body after the body': {
    documentation: 'https://doc.toasttab.com/doc/devguide/apiMessageSigning.html',
    verification: {
      scheme: 'hmac',
      algorithm: 'sha256',
      encoding: 'base64',
      header: 'toast-signature',
      signed: '{body}{body:/timestamp}',
      timestamp: { value: '{body:/timestamp}', unit: 'rfc3339', toleranceSeconds: 300 },
    },
    mapping: { eventType: '/eventType', subject: '/details/order/guid', eventId: '/guid', occurredAt: '/timestamp' },
    secret: 'a-secret-of-toast',
    request: (now, id, amount = 1) => {
      const timestamp = now.toISOString();
      const body = `{"timestamp":"${timestamp}","eventType":"order_updated","guid":"${id}","details":{"order":{"guid":"o-1"},"n":${amount}}}`;
      return {
        headers: { ...JSON_TYPE, 'toast-signature': hmac('sha256', 'a-secret-of-toast', body + timestamp, 'base64') },
        body,
      };
    },
    expected: (eventId) => ({ type: 'order_updated', subject: 'o-1', eventId }),
  },
  'Intercom, which signs with SHA-1': {
    documentation: 'https://developers.intercom.com/docs/webhooks/setting-up-webhooks',
    verification: {
      scheme: 'hmac',
      algorithm: 'sha1',
      encoding: 'hex',
      header: 'X-Hub-Signature',
      prefix: 'sha1=',
      signed: '{body}',
    },
    mapping: {
      eventType: '/topic',
      subject: ['/data/item/id', '/app_id'],
      eventId: '/id',
      occurredAt: '/first_sent_at',
    },
    secret: 'a-client-secret-of-intercom',
    request: (_now, id, amount = 1) => {
      const body = `{"app_id":"abc","id":"${id}","topic":"conversation.user.created","first_sent_at":1740823201,"data":{"item":{"id":"215468"}},"n":${amount}}`;
      const signature = hmac('sha1', 'a-client-secret-of-intercom', body, 'hex');
      return { headers: { ...JSON_TYPE, 'x-hub-signature': `sha1=${signature}` }, body };
    },
    expected: (eventId) => ({ type: 'conversation.user.created', subject: '215468', eventId }),
    hasNoTime: true,
  },
  'Typeform, whose signature is base64 behind a prefix': {
    documentation: 'https://www.typeform.com/developers/webhooks/secure-your-webhooks/',
    verification: {
      scheme: 'hmac',
      algorithm: 'sha256',
      encoding: 'base64',
      header: 'typeform-signature',
      prefix: 'sha256=',
      signed: '{body}',
    },
    mapping: {
      eventType: '/event_type',
      subject: '/form_response/form_id',
      eventId: '/event_id',
      occurredAt: '/form_response/submitted_at',
    },
    secret: 'a-secret-of-typeform',
    request: (_now, id, amount = 1) => {
      const body = `{"event_id":"${id}","event_type":"form_response","form_response":{"form_id":"lT4Z3j","submitted_at":"2025-03-01T10:00:00Z","n":${amount}}}\n`;
      const signature = hmac('sha256', 'a-secret-of-typeform', body, 'base64');
      return { headers: { ...JSON_TYPE, 'typeform-signature': `sha256=${signature}` }, body };
    },
    expected: (eventId) => ({ type: 'form_response', subject: 'lT4Z3j', eventId }),
    hasNoTime: true,
  },
  'a provider that signs as PayPal does, with RSA over the checksum of the body': {
    documentation: 'https://developer.paypal.com/api/rest/webhooks/rest/',
    verification: {
      scheme: 'rsa',
      encoding: 'base64',
      header: 'paypal-transmission-sig',
      signed: '{header:paypal-transmission-id}|{header:paypal-transmission-time}|8PT597110X687430L|{crc32}',
      timestamp: { header: 'paypal-transmission-time', unit: 'rfc3339', toleranceSeconds: 300 },
    },
    mapping: { eventType: '/event_type', subject: '/resource/id', eventId: '/id', occurredAt: '/create_time' },
    secret: pemOf(rsa.publicKey),
    request: (now, id, amount = 1) => {
      const body = `{"id":"${id}","create_time":"2025-03-01T10:00:00.000Z","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"r-1","amount":${amount}}}`;
      const time = now.toISOString();
      const text = `t-1|${time}|8PT597110X687430L|${crc32(body)}`;
      return {
        headers: {
          ...JSON_TYPE,
          'paypal-transmission-id': 't-1',
          'paypal-transmission-time': time,
          'paypal-transmission-sig': sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64'),
        },
        body,
      };
    },
    expected: (eventId) => ({ type: 'PAYMENT.CAPTURE.COMPLETED', subject: 'r-1', eventId }),
  },
  'Telnyx, which signs with Ed25519': {
    documentation: 'https://developers.telnyx.com/docs/development/api-fundamentals/webhooks/receiving-webhooks',
    verification: {
      scheme: 'ed25519',
      encoding: 'base64',
      keyEncoding: 'base64',
      header: 'telnyx-signature-ed25519',
      signed: '{header:telnyx-timestamp}|{body}',
      timestamp: { header: 'telnyx-timestamp', toleranceSeconds: 300 },
    },
    mapping: {
      eventType: '/data/event_type',
      subject: ['/data/payload/id', '/data/payload/call_control_id'],
      eventId: '/data/id',
      occurredAt: '/data/occurred_at',
    },
    secret: ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64'),
    request: (now, id, amount = 1) => {
      const body = `{"data":{"event_type":"message.received","id":"${id}","occurred_at":"2026-09-21T14:13:19.000+00:00","payload":{"id":"m-1","n":${amount}}}}`;
      const time = unixSeconds(now);
      const key = createPrivateKey(ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      return {
        headers: {
          ...JSON_TYPE,
          'telnyx-timestamp': time,
          'telnyx-signature-ed25519': sign(null, Buffer.from(`${time}|${body}`), key).toString('base64'),
        },
        body,
      };
    },
    expected: (eventId) => ({ type: 'message.received', subject: 'm-1', eventId }),
  },
  'Vonage, which sends a token with a digest of the body': {
    documentation: 'https://developer.vonage.com/en/getting-started/concepts/webhooks',
    verification: {
      scheme: 'jwt',
      algorithms: ['HS256'],
      issuer: 'Vonage',
      toleranceSeconds: 300,
      bodyDigest: { claim: 'payload_hash', algorithm: 'sha256', encoding: 'hex' },
    },
    mapping: { eventType: { template: 'message.{body:/status}' }, subject: '/message_uuid', eventId: '/n' },
    secret: 'a-signature-secret-of-an-account',
    request: (now, id, amount = 1) => {
      const body = `{"channel":"sms","message_uuid":"m-1","status":"delivered","n":"${id}","price":${amount}}`;
      const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
      const claims = { iss: 'Vonage', iat: Number(unixSeconds(now)), jti: id, payload_hash: hash('sha256', body) };
      const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
      const signature = createHmac('sha256', 'a-signature-secret-of-an-account').update(text).digest('base64url');
      return { headers: { ...JSON_TYPE, authorization: `Bearer ${text}.${signature}` }, body };
    },
    expected: (eventId) => ({ type: 'message.delivered', subject: 'm-1', eventId }),
  },
  'a shop that sends XML with basic authentication': {
    documentation: 'https://datatracker.ietf.org/doc/html/rfc7617',
    verification: { scheme: 'basic' },
    mapping: { eventType: { template: 'order.{body:/order/@state}' }, subject: '/order/shop', eventId: '/order/id' },
    secret: 'shop:a password: with colons',
    request: (_now, id, amount = 1) => ({
      headers: {
        'content-type': 'application/xml',
        authorization: `Basic ${Buffer.from('shop:a password: with colons').toString('base64')}`,
      },
      body: `<?xml version="1.0"?><order state="paid"><id>${id}</id><shop>s-1</shop><n>${amount}</n></order>`,
    }),
    expected: (eventId) => ({ type: 'order.paid', subject: 's-1', eventId }),
    signsNoBody: true,
    hasNoTime: true,
  },
};

/** Header names of a signature or of what is signed with it. */
const SIGNED_HEADERS = /signature|time|transmission|authorization/;

describe.each(Object.entries(PROVIDERS))('%s', (name, provider) => {
  const running = useApp();
  let source: GivenSource;

  beforeAll(async () => {
    const { verification, mapping, secret } = provider;
    source = await givenSource(running.app, running.pool, { name, verification, mapping, secrets: [secret] });
  });

  const send = ({ headers, body }: Sent, method = 'POST') =>
    call<WebhookAnswer>(`${running.url}${source.path}`, {
      method,
      headers,
      body: method === 'POST' ? body : undefined,
    });
  const refused = async (sent: Sent) => {
    const { status, body } = await send(sent);
    expect([status, body.code]).toEqual([401, expect.stringMatching(/^signature-/)]);
  };

  it('is set up by configuration alone: its event is stored once', async () => {
    const now = new Date();
    const first = await send(provider.request(now, 'e-1'));
    expect([first.status, first.body]).toMatchObject([200, { status: 'accepted', eventId: 'e-1' }]);
    const read = await running.http.get(`/v1/events/${first.body.id}`).set('X-Tenant-Id', 'acme');
    expect(read.body).toMatchObject({ ...provider.expected('e-1'), source: name, sourceId: source.row.id });

    const again = await send(provider.request(new Date(now.getTime() + 1_000), 'e-1'));
    // Toast signs the time within the body, so that a retry is another content. Its time is that of the event.
    const isSameContent = again.body.status === 'duplicate';
    expect([again.status, isSameContent || again.body.errors[0]?.code === 'event-id-conflict']).toEqual([200, true]);
    expect((await send(provider.request(now, 'e-1'))).body).toMatchObject({ status: 'duplicate', id: first.body.id });
    expect((await send(provider.request(now, 'e-1', 2))).body).toMatchObject({
      status: 'rejected',
      errors: [{ code: 'event-id-conflict' }],
    });
  });

  it('is refused when something of it is altered or missing', async () => {
    const sent = provider.request(new Date(), 'e-2');
    if (!provider.signsNoBody) await refused({ ...sent, body: sent.body.replace('e-2', 'e-3') });
    for (const header of Object.keys(sent.headers).filter((one) => SIGNED_HEADERS.test(one))) {
      const { [header]: value = '', ...others } = sent.headers;
      const altered = value.slice(0, 12) + (value[12] === '4' ? '8' : '4') + value.slice(13);
      await refused({ ...sent, headers: { ...others, [header]: altered } });
      await refused({ ...sent, headers: others });
    }
    if (sent.body.includes('token-of')) {
      await refused({ ...sent, body: sent.body.replace('token-of', 'token-0f') });
      await refused({ ...sent, body: sent.body.replace(/signature/g, 'signatur3') });
    }
    const { rows } = await running.pool.query(`select from events where event_id = 'e-2'`);
    expect(rows).toHaveLength(0);
  });

  it('is refused when it is sent again much later, if it says when it was signed', async () => {
    const old = provider.request(new Date(Date.now() - 3_600_000), 'e-4');
    if (provider.hasNoTime) return expect((await send(old)).status).toBe(200);
    const { status, body } = await send(old);
    return expect([status, body.code]).toEqual([401, 'signature-expired']);
  });

  it('gets 200 for a HEAD, by which some providers check a URL', async () => {
    expect((await send({ headers: {}, body: '' }, 'HEAD')).status).toBe(200);
  });
});
