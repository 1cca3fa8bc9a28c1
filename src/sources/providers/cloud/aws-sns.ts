import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

/**
 * AWS signs the messages of every topic with the same keys, so a signature alone says only that some topic sent it. The
 * ARN of the expected topic stands in place of a secret. Raw message delivery is not signed and therefore refused.
 */
export const AWS_SNS: Provider = {
  id: 'aws-sns',
  name: 'Amazon SNS',
  documentation: 'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html',
  checkedOn: '2026-11-29',
  proof: 'npm sns-validator',
  verification: {
    scheme: 'rsa',
    algorithm: { value: '{body:/SignatureVersion}', names: { '1': 'sha1', '2': 'sha256' } },
    encoding: 'base64',
    signature: '{body:/Signature}',
    signed: '{lines:/Message,/MessageId,/SubscribeURL?,/Subject?,/Timestamp,/Token?,/TopicArn,/Type}',
    certificate: {
      url: '{body:/SigningCertURL}',
      hosts: ['sns.*.amazonaws.com/SimpleNotificationService-', 'sns.*.amazonaws.com.cn/SimpleNotificationService-'],
      recipient: '{body:/TopicArn}',
    },
  },
  secret: 'the ARN of the topic',
  mapping: {
    eventType: '/Type',
    eventId: '/MessageId',
    subject: '/TopicArn',
    occurredAt: '/Timestamp',
  },
  handshakes: HANDSHAKES['aws-sns'],
};
