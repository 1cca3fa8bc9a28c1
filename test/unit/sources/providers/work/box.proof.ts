import { hmac, withHeaders, type Proof } from '../../../../support/sources/proof';

const UPLOADED =
  '{"type":"webhook_event","id":"0f2a6c31-0000-4000-8000-000000000001","created_at":"2026-11-29T03:59:58-08:00","trigger":"FILE.UPLOADED","webhook":{"id":"53","type":"webhook"},"created_by":{"type":"user","id":"226067247"},"source":{"id":"73835521473","type":"file","name":"Report.pdf"},"additional_info":[]}';

/** https://github.com/box/samples/tree/master/box-node-webhook-to-lambda-sample */
const PUBLISHED = {
  headers: {
    'box-delivery-id': 'f96bb54b-ee16-4fc5-aa65-8c2d9e5b546f',
    'box-delivery-timestamp': '2020-01-01T00:00:00-07:00',
    'box-signature-version': '1',
    'box-signature-algorithm': 'HmacSHA256',
    'box-signature-primary': '6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI=',
    'box-signature-secondary': 'v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo=',
  },
  body: '{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED","source":{"id":"1234567890","type":"file","name":"Test.txt"}}',
};
const PUBLISHED_AT = new Date('2020-01-01T07:09:59Z');

export const proof: Proof = {
  provider: 'box',
  outside: { publishes: 'box/samples: box-node-webhook-to-lambda-sample' },
  examples: [
    { secret: 'SamplePrimaryKey', request: PUBLISHED, at: PUBLISHED_AT },
    { secret: 'SampleSecondaryKey', request: PUBLISHED, at: PUBLISHED_AT },
  ],
  secrets: ['box-signature-key-one', 'box-signature-key-two'],
  sign(request, secret, at) {
    const time = `${at.toISOString().slice(0, 19)}-00:00`;
    return withHeaders(request, {
      'box-delivery-timestamp': time,
      'box-signature-primary': hmac('sha256', secret, request.body + time, 'base64'),
    });
  },
  signed: ['box-delivery-timestamp', 'box-signature-primary'],
  toleranceSeconds: 600,
  samples: [
    {
      request: { body: UPLOADED },
      events: [
        {
          eventType: 'FILE.UPLOADED',
          eventId: '0f2a6c31-0000-4000-8000-000000000001',
          subject: '73835521473',
          occurredAt: '2026-11-29T03:59:58-08:00',
        },
      ],
    },
  ],
};
