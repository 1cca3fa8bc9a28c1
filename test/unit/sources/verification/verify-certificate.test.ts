import { sign } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { PublicKeyVerification } from '../../../../src/sources/verification/verification';
import { compileVerifier, needsSecret } from '../../../../src/sources/verification/verifiers';
import { makeCertificate } from '../../../support/sources/certificate';
import { NOW } from '../../../support/sources/received';
import { codeOf, ServedKeys, verified } from '../../../support/sources/verifying';

const URL = 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-01.pem';
const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:orders';
const DAY_MS = 86_400_000;
const at = (ms: number): Date => new Date(NOW.getTime() + ms);
const good = makeCertificate({ validFrom: at(-DAY_MS), validTo: at(DAY_MS) });

/** As Amazon SNS signs: fields of the body, each with its name, and a digest that the body names. */
const SNS: PublicKeyVerification = {
  scheme: 'rsa',
  algorithm: { value: '{body:/SignatureVersion}', names: { '1': 'sha1', '2': 'sha256' } },
  signature: '{body:/Signature}',
  encoding: 'base64',
  signed: '{lines:/Message,/MessageId,/Subject?,/SubscribeURL?,/Timestamp,/Token?,/TopicArn,/Type}',
  certificate: {
    url: '{body:/SigningCertURL}',
    hosts: ['sns.*.amazonaws.com/SimpleNotificationService-'],
    recipient: '{body:/TopicArn}',
  },
};

type Fields = Record<string, unknown>;
const NOTIFICATION: Fields = {
  Type: 'Notification',
  MessageId: '5f6a0c3e',
  TopicArn: TOPIC,
  Subject: 'order',
  Message: '{"state":"päid"}\nline',
  Timestamp: '2026-11-29T11:59:58.123Z',
  SignatureVersion: '2',
  SigningCertURL: URL,
  UnsubscribeURL: 'https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe',
};
const CONFIRMATION: Fields = {
  ...NOTIFICATION,
  Type: 'SubscriptionConfirmation',
  Subject: undefined,
  Token: '2336412f37',
  SubscribeURL: 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37',
};
const SIGNED_NAMES: Record<string, string[]> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};

/** Signs as the documentation of SNS says. */
function signed(fields: Fields, key = good.privateKey): Fields {
  const names = (SIGNED_NAMES[String(fields.Type)] ?? []).filter((name) => fields[name] !== undefined);
  const text = names.map((name) => `${name}\n${String(fields[name])}\n`).join('');
  const digest = fields.SignatureVersion === '1' ? 'sha1' : 'sha256';
  return { ...fields, Signature: sign(digest, Buffer.from(text), key).toString('base64') };
}
const sent = (fields: Fields) => ({
  headers: { 'content-type': 'text/plain; charset=UTF-8' },
  body: JSON.stringify(fields),
});
const served = (pem = good.pem) => new ServedKeys({ [URL]: pem });

describe('a request that is signed with the key of a certificate', () => {
  it.each([
    ['a notification', NOTIFICATION],
    ['one without a subject', { ...NOTIFICATION, Subject: undefined }],
    ['one with SHA-1', { ...NOTIFICATION, SignatureVersion: '1' }],
    ['a confirmation', CONFIRMATION],
  ])('is accepted: %s', async (_what, fields) => {
    const verdict = await verified(SNS, ['other', TOPIC], sent(signed(fields)), served());
    expect(verdict).toEqual({ verified: true, keyHint: '…ders' });
  });

  it.each(['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'])(
    'is refused with another %s',
    async (name) => {
      const changed = { ...signed(NOTIFICATION), [name]: 'x' };
      expect(await codeOf(SNS, [TOPIC, 'x'], sent(changed), served())).toBe('signature-invalid');
    },
  );

  it.each(['SubscribeURL', 'Token'])('is refused with another %s', async (name) => {
    expect(await codeOf(SNS, [TOPIC], sent({ ...signed(CONFIRMATION), [name]: 'x' }), served())).toBe(
      'signature-invalid',
    );
    expect(await codeOf(SNS, [TOPIC], sent({ ...signed(NOTIFICATION), [name]: 'x' }), served())).toBe(
      'signature-invalid',
    );
  });

  it('is refused when a field was left out, or put in as what cannot be signed', async () => {
    const { Subject: _subject, ...without } = signed(NOTIFICATION);
    expect(await codeOf(SNS, [TOPIC], sent(without), served())).toBe('signature-invalid');
    const { Message: _message, ...empty } = signed(NOTIFICATION);
    expect(await codeOf(SNS, [TOPIC], sent(empty), served())).toBe('signature-missing');
    const unsigned = { ...signed({ ...NOTIFICATION, Subject: undefined }), Subject: { a: 1 } };
    expect(await codeOf(SNS, [TOPIC], sent(unsigned), served())).toBe('signature-missing');
  });

  it.each(['3', '', '__proto__', 'constructor', 2, null])('is refused with the digest %j', async (version) => {
    const changed = { ...signed(NOTIFICATION), SignatureVersion: version };
    expect(await codeOf(SNS, [TOPIC], sent(changed), served())).toBe(
      version === null ? 'signature-missing' : version === 2 ? 'ok' : 'signature-invalid',
    );
  });

  it('is refused when it is for somebody else, and nothing is fetched', async () => {
    const keys = served();
    const theirs = signed({ ...NOTIFICATION, TopicArn: `${TOPIC}2` });
    expect(await codeOf(SNS, [TOPIC], sent(theirs), keys)).toBe('signature-invalid');
    expect(await codeOf(SNS, [], sent(signed(NOTIFICATION)), keys)).toBe('signature-invalid');
    expect(keys.asked).toEqual([]);
  });

  it('is refused when it is a message of another topic, cut into other fields', async () => {
    const theirs = `${TOPIC}-of-somebody-else`;
    const inside = `m\nMessageId\ni\nTimestamp\nt\nTopicArn\n${TOPIC}\nType\nNotification`;
    const genuine = signed({ ...NOTIFICATION, Subject: undefined, TopicArn: theirs, Message: inside });
    expect(await codeOf(SNS, [theirs], sent(genuine), served())).toBe('ok');
    const { MessageId, Timestamp } = genuine as Record<string, string>;
    const Type = `Notification\nMessageId\n${MessageId}\nTimestamp\n${Timestamp}\nTopicArn\n${theirs}\nType\nNotification`;
    const cut = { ...genuine, Message: 'm', MessageId: 'i', Timestamp: 't', TopicArn: TOPIC, Type };
    expect(await codeOf(SNS, [TOPIC], sent(cut), served())).toBe('signature-missing');
  });

  it.each([
    ['elsewhere', 'https://evil.example/SimpleNotificationService-01.pem', 'signature-invalid'],
    ['in a bucket', 'https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-01.pem', 'signature-invalid'],
    ['nowhere', undefined, 'signature-missing'],
  ])('is refused when the certificate is %s, and nothing is fetched', async (_where, url, code) => {
    const keys = served();
    expect(await codeOf(SNS, [TOPIC], sent(signed({ ...NOTIFICATION, SigningCertURL: url })), keys)).toBe(code);
    expect(keys.asked).toEqual([]);
  });

  it('is refused with the key of somebody else', async () => {
    expect(await codeOf(SNS, [TOPIC], sent(signed(NOTIFICATION, makeCertificate().privateKey)), served())).toBe(
      'signature-invalid',
    );
  });

  it.each([
    ['has expired', { validFrom: at(-2 * DAY_MS), validTo: at(-1_000) }],
    ['is not yet valid', { validFrom: at(1_000), validTo: at(DAY_MS) }],
    ['holds another kind of key', { validFrom: at(-DAY_MS), validTo: at(DAY_MS), type: 'ec' as const }],
  ])('is refused when the certificate %s', async (_what, options) => {
    const { pem, privateKey } = makeCertificate(options);
    expect(await codeOf(SNS, [TOPIC], sent(signed(NOTIFICATION, privateKey)), served(pem))).toBe('signature-invalid');
  });

  it('is a problem of the provider when the certificate cannot be fetched', async () => {
    const sending = codeOf(SNS, [TOPIC], sent(signed(NOTIFICATION)), new ServedKeys());
    await expect(sending).rejects.toMatchObject({ code: 'provider-unavailable' });
  });
});

describe('a signed text that names who it is for', () => {
  const PAYPAL_URL = 'https://api.paypal.com/v1/notifications/certs/CERT-1';
  /** As PayPal signs: the id of the webhook is not in the request. */
  const PAYPAL: PublicKeyVerification = {
    scheme: 'rsa',
    header: 'paypal-transmission-sig',
    encoding: 'base64',
    signed: '{header:paypal-transmission-id}|{header:paypal-transmission-time}|{secret}|{crc32}',
    certificate: { url: '{header:paypal-cert-url}', hosts: ['api.paypal.com/v1/notifications/certs/'] },
  };
  const body = '{"id":"WH-1"}';
  const text = `id|2026-11-29T12:00:00Z|4JH86294D6297924G|${crc32(body)}`;
  const headers = {
    'paypal-transmission-id': 'id',
    'paypal-transmission-time': '2026-11-29T12:00:00Z',
    'paypal-cert-url': PAYPAL_URL,
    'paypal-transmission-sig': sign('sha256', Buffer.from(text), good.privateKey).toString('base64'),
  };
  const keys = new ServedKeys({ [PAYPAL_URL]: good.pem });

  it('verifies with the secret that is in it', async () => {
    const secrets = ['WEBHOOK-ID-THAT-IS-NEWER', '4JH86294D6297924G'];
    expect(await verified(PAYPAL, secrets, { headers, body }, keys)).toEqual({ verified: true, keyHint: '…924G' });
    expect(await codeOf(PAYPAL, ['WEBHOOK-ID-THAT-IS-NEWER'], { headers, body }, keys)).toBe('signature-invalid');
    expect(await codeOf(PAYPAL, [], { headers, body }, keys)).toBe('signature-invalid');
    expect(await codeOf(PAYPAL, secrets, { headers, body: `${body} ` }, keys)).toBe('signature-invalid');
  });

  it('needs the secret', () => {
    expect(needsSecret(PAYPAL)).toBe(true);
    expect(needsSecret(SNS)).toBe(true);
    expect(needsSecret({ ...PAYPAL, signed: '{body}' })).toBe(false);
  });

  it('may name a secret only there', () => {
    const compile = (signed: string) => () =>
      compileVerifier({ scheme: 'hmac', algorithm: 'sha256', header: 'x', encoding: 'hex', signed }, ['s'], keys);
    expect(compile('{secret}')).toThrow('{secret} is not a part of a request');
    expect(() => compileVerifier({ ...PAYPAL, signature: '{secret}' }, [], keys)).toThrow('{secret} is not a part');
  });
});
