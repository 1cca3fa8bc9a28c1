import { sign as signBytes, X509Certificate } from 'node:crypto';
import type { VerifierTools } from '../../../../../src/sources/verification/verifier';
import { makeCertificate } from '../../../../support/sources/certificate';
import { NO_TOOLS } from '../../../../support/sources/proof';

export type SnsMessage = Readonly<Record<string, string>>;

export const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:orders';
export const OTHER_TOPIC = 'arn:aws:sns:eu-central-1:111122223333:returns';

export const { pem: PEM, privateKey: PRIVATE_KEY } = makeCertificate({
  host: 'sns.amazonaws.com',
  validFrom: new Date('2020-01-01T00:00:00Z'),
  validTo: new Date('2040-01-01T00:00:00Z'),
});

/** The same certificate is at every URL that may be fetched. */
export const SNS_TOOLS: VerifierTools = { ...NO_TOOLS, certificate: async () => new X509Certificate(PEM) };

const CERTIFICATE_URL =
  'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem';
const COMMON = {
  MessageId: '5f6a0c3e-7b1d-5c2a-9d8e-51c3e4a7b210',
  TopicArn: TOPIC,
  Timestamp: '2026-11-29T11:59:58.123Z',
};
export const NOTIFICATION: SnsMessage = {
  ...COMMON,
  Type: 'Notification',
  Message: '{"orderId":"o-17",\n"state":"paid"}',
};
const TOKEN = '2336412f37fb687f5d51e6e2425c464cefc9';
export const CONFIRMATION: SnsMessage = {
  ...COMMON,
  Type: 'SubscriptionConfirmation',
  Message: 'You have chosen to subscribe to the topic.',
  Token: TOKEN,
  SubscribeURL: `https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=${TOKEN}`,
};

/** https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
const SIGNED = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  other: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};

export function signedBySns(message: SnsMessage, version: '1' | '2' = '2'): SnsMessage {
  const names = message.Type === 'Notification' ? SIGNED.Notification : SIGNED.other;
  const text = names.flatMap((name) => (name in message ? [`${name}\n${message[name]}\n`] : [])).join('');
  const signature = signBytes(version === '1' ? 'sha1' : 'sha256', Buffer.from(text), PRIVATE_KEY);
  return {
    ...message,
    SignatureVersion: version,
    Signature: signature.toString('base64'),
    SigningCertURL: CERTIFICATE_URL,
  };
}
