import { AWS_SNS } from '../../../../../src/sources/providers/cloud/aws-sns';
import { compileVerifier } from '../../../../../src/sources/verification/verifiers';
import { asReceived } from '../../../../support/sources/as-received';
import { isValidForAws } from './aws-sns.proof';
import {
  CONFIRMATION,
  NOTIFICATION,
  OTHER_TOPIC,
  signedBySns,
  SNS_TOOLS,
  TOPIC,
  type SnsMessage,
} from './sns-messages';

const REFUSED = { verified: false };
const THEIR_TOPIC = 'arn:aws:sns:eu-central-1:999999999999:orders';

const requestOf = (message: SnsMessage) => ({
  method: 'POST',
  url: 'https://in.example.com/in/token',
  headers: { 'content-type': 'text/plain; charset=UTF-8' },
  body: JSON.stringify(message),
});

async function verdict(message: SnsMessage, topics: readonly string[] = [TOPIC]): Promise<unknown> {
  const verify = compileVerifier(AWS_SNS.verification, topics, SNS_TOOLS);
  return await verify(asReceived(requestOf(message), new Date()));
}

describe('aws-sns: what is signed', () => {
  it.each(['1', '2'] as const)('is verified by SignatureVersion %s, as AWS does', async (version) => {
    for (const message of [NOTIFICATION, { ...NOTIFICATION, Subject: 'order' }, CONFIRMATION]) {
      const sent = signedBySns(message, version);
      expect(await verdict(sent)).toMatchObject({ verified: true });
      expect(await isValidForAws(requestOf(sent), TOPIC)).toBe(true);
    }
  });

  // The documentation has the token among what is signed; sns-validator leaves it out for this type.
  it('includes the token of the message that a subscription has ended', async () => {
    const sent = signedBySns({ ...CONFIRMATION, Type: 'UnsubscribeConfirmation' });
    expect(await verdict(sent)).toMatchObject({ verified: true });
    expect(await verdict({ ...sent, Token: 'other' })).toMatchObject(REFUSED);
  });

  it.each(['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'])(
    'includes the %s of a confirmation',
    async (name) => {
      const sent = signedBySns(CONFIRMATION);
      const { [name]: value, ...others } = sent;
      expect(await verdict({ ...sent, [name]: `${value}x` })).toMatchObject(REFUSED);
      expect(await verdict(others)).toMatchObject(REFUSED);
    },
  );

  it.each(['0', '3', '2 ', '', 'constructor'])('is refused with SignatureVersion %j', async (version) => {
    expect(await verdict({ ...signedBySns(NOTIFICATION), SignatureVersion: version })).toMatchObject(REFUSED);
  });

  it('is refused if a signature of version 1 is said to be of version 2', async () => {
    expect(await verdict({ ...signedBySns(NOTIFICATION, '1'), SignatureVersion: '2' })).toMatchObject(REFUSED);
  });
});

describe('aws-sns: other topics', () => {
  it('are refused, however well their messages are signed', async () => {
    const sent = signedBySns({ ...NOTIFICATION, TopicArn: THEIR_TOPIC });
    expect(await isValidForAws(requestOf(sent), THEIR_TOPIC)).toBe(true);
    expect(await verdict(sent, [TOPIC, OTHER_TOPIC])).toMatchObject({ code: 'signature-invalid' });
  });

  it('are refused for a subscription as well, so that it is not confirmed', async () => {
    expect(await verdict(signedBySns({ ...CONFIRMATION, TopicArn: THEIR_TOPIC }))).toMatchObject(REFUSED);
  });

  // Names and values are signed without quotes: lines in a message can look like the fields of another topic's.
  it('are refused if their message is cut into other fields with the same signed text', async () => {
    const tail = (id: string, time: string, topic: string): string =>
      `\nMessageId\n${id}\nTimestamp\n${time}\nTopicArn\n${topic}\nType\nNotification`;
    const cut = { Message: 'forged', MessageId: 'm1', Timestamp: '2026-11-29T12:00:00.000Z', TopicArn: TOPIC };
    const theirs = signedBySns({
      ...NOTIFICATION,
      TopicArn: THEIR_TOPIC,
      Message: `forged${tail(cut.MessageId, cut.Timestamp, TOPIC)}`,
    });
    const type = `Notification${tail(theirs.MessageId as string, theirs.Timestamp as string, THEIR_TOPIC)}`;
    const sent = { ...theirs, ...cut, Type: type };
    expect(await isValidForAws(requestOf(sent), TOPIC)).toBe(true);
    expect(await verdict(sent)).toMatchObject(REFUSED);
  });
});

describe('aws-sns: certificates', () => {
  it.each([
    ['https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0a.pem', true],
    ['https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a.pem', true],
    ['https://sns.evil.example/SimpleNotificationService-0a.pem', false],
    ['http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem', false],
    ['https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem', false],
    ['https://s3.amazonaws.com/sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem', false],
    ['https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-0a.pem', false],
    ['https://sns.amazonaws.com/SimpleNotificationService-0a.pem', false],
    ['https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0a.pem', false],
    ['https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem', false],
    ['https://sns.eu-central-1.amazonaws.com/?Action=Publish', false],
  ])('at %s: %s', async (url, verified) => {
    expect(await verdict({ ...signedBySns(NOTIFICATION), SigningCertURL: url })).toMatchObject({ verified });
  });
});
