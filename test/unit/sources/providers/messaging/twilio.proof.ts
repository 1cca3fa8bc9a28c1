import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface TwilioPackage {
  getExpectedTwilioSignature: (token: string, url: string, fields: Record<string, unknown>) => string;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
const TOKEN = { 'i-twilio-idempotency-token': 'b1f0c0de-0000-4000-8000-000000000001' };
const DIGEST = /^[0-9a-f]{64}$/;
const digest = expect.stringMatching(DIGEST) as string;

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

/** The fields of a form as Express gives them to the package: a repeated name is an array. */
function fieldsOf(body: string): Record<string, unknown> {
  const fields = new URLSearchParams(body);
  return Object.fromEntries(
    Array.from(fields.keys(), (name) => {
      const values = [...fields.getAll(name)]; // an array of this realm, for the `instanceof Array` of the package
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

const INBOUND = {
  MessageSid: 'SM01',
  AccountSid: 'AC01',
  From: '+14155550100',
  To: '+14155550199',
  Body: 'Grüße & 1+1=2',
  NumMedia: '0',
  SmsStatus: 'received',
};
const STATUS = { MessageSid: 'SM01', AccountSid: 'AC01', MessageStatus: 'delivered', SmsStatus: 'delivered' };
const CALL = { CallSid: 'CA01', AccountSid: 'AC01', CallStatus: 'completed', Digits: '12' };
const RECORDING = { CallSid: 'CA01', AccountSid: 'AC01', RecordingSid: 'RE01', RecordingStatus: 'completed' };
const CONVERSATION = { EventType: 'onMessageAdded', ConversationSid: 'CH01', MessageSid: 'IM01', AccountSid: 'AC01' };
const CONFERENCE = {
  StatusCallbackEvent: 'participant-join',
  ConferenceSid: 'CF01',
  CallSid: 'CA01',
  AccountSid: 'AC01',
};

export const proof: Proof = {
  provider: 'twilio',
  outside: { signs: 'twilio: getExpectedTwilioSignature' },
  secrets: ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'],
  async sign(request, secret) {
    const { getExpectedTwilioSignature } = await load<TwilioPackage>('twilio/lib/webhooks/webhooks');
    const signature = getExpectedTwilioSignature(secret, request.url, fieldsOf(request.body));
    return withHeaders(request, { 'x-twilio-signature': signature });
  },
  signed: ['x-twilio-signature', 'url'],
  samples: [
    {
      request: {
        url: 'https://in.example.com/in/token?tenant=7',
        headers: { ...FORM, ...TOKEN },
        body: form(INBOUND),
      },
      events: [
        {
          eventType: 'message.received',
          subject: 'SM01',
          eventId: 'b1f0c0de-0000-4000-8000-000000000001',
          payload: JSON.stringify(INBOUND),
        },
      ],
    },
    {
      request: { headers: FORM, body: `${form(STATUS)}&Tag=b&Tag=a&Tag=b` },
      events: [
        {
          eventType: 'message.delivered',
          subject: 'SM01',
          eventId: digest,
          payload: JSON.stringify({ ...STATUS, Tag: ['b', 'a', 'b'] }),
        },
      ],
    },
    ...(
      [
        [CALL, 'call.completed', 'CA01'],
        [RECORDING, 'recording.completed', 'CA01'],
        [CONVERSATION, 'onMessageAdded', 'CH01'],
        [CONFERENCE, 'participant-join', 'CF01'],
      ] as const
    ).map(([fields, eventType, subject]) => ({
      request: { headers: FORM, body: form(fields) },
      events: [{ eventType, subject, eventId: digest, payload: JSON.stringify(fields) }],
    })),
  ],
};
