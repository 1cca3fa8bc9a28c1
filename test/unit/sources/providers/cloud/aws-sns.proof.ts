import { EventEmitter } from 'node:events';
import https from 'node:https';
import { accepts, load, type Proof, type SentRequest } from '../../../../support/sources/proof';
import { CONFIRMATION, NOTIFICATION, OTHER_TOPIC, PEM, signedBySns, SNS_TOOLS, TOPIC } from './sns-messages';
import type { SnsMessage } from './sns-messages';

interface SnsPackage {
  default: new () => { validate(message: object, callback: (error: Error | null) => void): void };
}

/** What AWS's package decides, with our certificate in place of what it would fetch. */
export async function isValidForAws({ body }: Pick<SentRequest, 'body'>, topic: string): Promise<boolean> {
  const { default: MessageValidator } = await load<SnsPackage>('sns-validator');
  const get = jest.spyOn(https, 'get').mockImplementation(serveCertificate as never);
  try {
    const message = JSON.parse(body) as SnsMessage;
    const isValid = await accepts(
      () =>
        new Promise<void>((resolve, reject) => {
          new MessageValidator().validate(message, (error) => (error ? reject(error) : resolve()));
        }),
    );
    return isValid && message.TopicArn === topic;
  } finally {
    get.mockRestore();
  }
}

function serveCertificate(_url: string, answer: (response: EventEmitter) => void): EventEmitter {
  const response = Object.assign(new EventEmitter(), { statusCode: 200 });
  process.nextTick(() => {
    answer(response);
    response.emit('data', PEM);
    response.emit('end');
  });
  return new EventEmitter();
}

const changed = (body: string, name: string): string => {
  const message = JSON.parse(body) as SnsMessage;
  return JSON.stringify({ ...message, [name]: `${message[name]}x` });
};

const about = (message: SnsMessage): { request: { headers: Record<string, string>; body: string } } => ({
  request: {
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': message.Type as string },
    body: JSON.stringify(message),
  },
});

const COMMON = {
  subject: TOPIC,
  eventId: '5f6a0c3e-7b1d-5c2a-9d8e-51c3e4a7b210',
  occurredAt: '2026-11-29T11:59:58.123Z',
};

export const proof: Proof = {
  provider: 'aws-sns',
  outside: { accepts: 'sns-validator', decide: isValidForAws },
  secrets: [TOPIC, OTHER_TOPIC],
  sign: (request) => ({ ...request, body: JSON.stringify(signedBySns(JSON.parse(request.body) as SnsMessage)) }),
  signed: [],
  alteredBodies: (body) => [
    ...['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type', 'Signature', 'SignatureVersion'].map(
      (name) => changed(body, name),
    ),
    // Raw message delivery is not signed.
    '{"orderId":"o-17"}',
  ],
  tools: SNS_TOOLS,
  samples: [
    {
      ...about({ ...NOTIFICATION, Subject: 'order' }),
      events: (body) => [{ ...COMMON, eventType: 'Notification', payload: body }],
    },
    { ...about(NOTIFICATION), events: (body) => [{ ...COMMON, eventType: 'Notification', payload: body }] },
    {
      ...about({ ...CONFIRMATION, Type: 'UnsubscribeConfirmation' }),
      events: (body) => [{ ...COMMON, eventType: 'UnsubscribeConfirmation', payload: body }],
    },
  ],
  handshakes: [{ ...about(CONFIRMATION), name: 'SubscriptionConfirmation', answer: { status: 200, body: '' } }],
};
