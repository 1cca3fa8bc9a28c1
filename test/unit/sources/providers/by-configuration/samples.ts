import { generateKeyPairSync, sign as signBytes, X509Certificate } from 'node:crypto';
import { hmac, load, NO_TOOLS, unixSeconds } from '../../../../support/sources/proof';
import { PAYPAL_CERTIFICATE, PAYPAL_PUBLISHED } from './paypal-published';
import { FORM, inHeader, inParts, withHeader, type ConfiguredSample } from './sample';
import { TOKEN_SAMPLES } from './token-samples';

const telnyx = generateKeyPairSync('ed25519');
/** A key of ed25519 is the last 32 bytes of its DER form. */
const TELNYX_KEY = telnyx.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
const NOON = '2026-11-29T12:00:00Z';

/** By the heading of the provider in the documentation. */
export const SAMPLES: Readonly<Record<string, readonly ConfiguredSample[]>> = {
  ...TOKEN_SAMPLES,
  "Adyen's other webhooks": [
    {
      secret: '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056',
      sign: (request, secret) =>
        withHeader(request, 'hmacsignature', hmac('sha256', Buffer.from(secret, 'hex'), request.body, 'base64')),
      body: '{"type":"balancePlatform.transfer.updated","data":{"id":"1W1UG35U8A9J5ZLG","status":"authorised"}}',
      events: [{ eventType: 'balancePlatform.transfer.updated', subject: '1W1UG35U8A9J5ZLG' }],
    },
  ],
  Calendly: [
    {
      secret: 'calendly-signing-key',
      sign: inParts('calendly-webhook-signature'),
      body: `{"created_at":"${NOON}","event":"invitee.created","payload":{"uri":"https://api.calendly.com/i/I1"}}`,
      events: [{ eventType: 'invitee.created', subject: 'https://api.calendly.com/i/I1', occurredAt: NOON }],
    },
  ],
  Clover: [
    {
      secret: 'clover-signing-secret',
      sign: inParts('clover-signature'),
      body: '{"Status":"APPROVED","Type":"PAYMENT","Id":"WWGYAH5FDS1AE","MerchantId":"R1","Data":"0aa2c1b3-0000"}',
      events: [{ eventType: 'PAYMENT.APPROVED', eventId: 'WWGYAH5FDS1AE', subject: '0aa2c1b3-0000' }],
    },
  ],
  'DocuSign Connect': ['x-docusign-signature-1', 'x-docusign-signature-2'].map((header) => ({
    secret: 'docusign-key=',
    headers: { 'x-docusign-signature-1': hmac('sha256', 'another key', 'another body', 'base64') },
    sign: inHeader(header, 'sha256', 'base64'),
    body: '{"event":"envelope-completed","generatedDateTime":"2026-11-29T12:00:00.1234567Z","data":{"envelopeId":"e1"}}',
    events: [
      {
        eventType: 'envelope-completed',
        eventId: 'e1:envelope-completed:2026-11-29T12:00:00.1234567Z',
        subject: 'e1',
        occurredAt: '2026-11-29T12:00:00.1234567Z',
        payload: '{"envelopeId":"e1"}',
      },
    ],
  })),
  Dropbox: [
    {
      secret: 'dropbox-app-secret',
      sign: inHeader('x-dropbox-signature', 'sha256', 'hex'),
      body: '{"list_folder":{"accounts":["dbid:AAH4f99T0taONIb","dbid:AAH4f99T0taONIc"]},"delta":{"users":[12345678]}}',
      events: [
        { eventType: 'list_folder', subject: 'dbid:AAH4f99T0taONIb', payload: '"dbid:AAH4f99T0taONIb"' },
        { eventType: 'list_folder', subject: 'dbid:AAH4f99T0taONIc', payload: '"dbid:AAH4f99T0taONIc"' },
      ],
    },
  ],
  Intercom: [
    {
      secret: 'intercom-client-secret',
      sign: inHeader('x-hub-signature', 'sha1', 'hex', 'sha1='),
      body: '{"id":"notif_7d7c1b1e","delivery_attempts":1,"topic":"conversation.user.created","app_id":"a1","data":{"item":{"id":"215468"}},"created_at":1795953600}',
      events: [
        {
          eventType: 'conversation.user.created',
          eventId: 'notif_7d7c1b1e',
          subject: '215468',
          occurredAt: '2026-11-29T12:00:00.000Z',
          payload: '{"item":{"id":"215468"}}',
        },
      ],
    },
  ],
  'Lightspeed Retail (X-Series)': [
    {
      secret: 'lightspeed-client-secret',
      headers: FORM,
      sign: inHeader('x-signature', 'sha256', 'hex', 'signature=', ', algorithm=HMAC-SHA256'),
      body: 'payload=%7B%22id%22%3A%221%22%7D&type=sale.update&retailer_id=b1e198a9',
      events: [
        {
          eventType: 'sale.update',
          subject: 'b1e198a9',
          payload: '{"payload":"{\\"id\\":\\"1\\"}","type":"sale.update","retailer_id":"b1e198a9"}',
        },
      ],
    },
  ],
  Mailgun: [
    {
      secret: 'mailgun-signing-key',
      sign(request, secret, at) {
        const time = unixSeconds(at);
        const signature = hmac('sha256', secret, `${time}a0b1c2`, 'hex');
        const signed = `{"timestamp":"${time}","token":"a0b1c2","signature":"${signature}"}`;
        return { ...request, body: request.body.replace('"SIGNATURE"', signed) };
      },
      body: '{"signature":"SIGNATURE","event-data":{"event":"delivered","id":"G9","timestamp":1795953600.25,"recipient":"ada@example.com"}}',
      events: [
        {
          eventType: 'delivered',
          eventId: 'G9',
          subject: 'ada@example.com',
          occurredAt: '2026-11-29T12:00:00.250Z',
          payload: '{"event":"delivered","id":"G9","timestamp":1795953600.25,"recipient":"ada@example.com"}',
        },
      ],
    },
  ],
  PayPal: [
    {
      ...PAYPAL_PUBLISHED,
      secret: PAYPAL_PUBLISHED.webhookId,
      tools: { ...NO_TOOLS, certificate: async () => new X509Certificate(PAYPAL_CERTIFICATE) },
      events: [
        {
          eventType: 'PAYMENT.SALE.COMPLETED',
          eventId: 'WH-9UG43882HX7271132-6E0871324L7949614',
          subject: '80F85758S3080410K',
          occurredAt: '2016-09-21T22:00:45Z',
        },
      ],
    },
  ],
  Telnyx: [
    {
      secret: TELNYX_KEY,
      sign(request, _secret, at) {
        const time = unixSeconds(at);
        const signature = signBytes(null, Buffer.from(`${time}|${request.body}`), telnyx.privateKey);
        const timed = withHeader(request, 'telnyx-timestamp', time);
        return withHeader(timed, 'telnyx-signature-ed25519', signature.toString('base64'));
      },
      body: `{"data":{"event_type":"message.received","id":"b301ed3f","occurred_at":"${NOON}","payload":{"id":"84cca175"}}}`,
      events: [
        {
          eventType: 'message.received',
          eventId: 'b301ed3f',
          subject: '84cca175',
          occurredAt: NOON,
          payload: `{"event_type":"message.received","id":"b301ed3f","occurred_at":"${NOON}","payload":{"id":"84cca175"}}`,
        },
      ],
    },
  ],
  Toast: [
    {
      secret: 'toast-secret',
      sign: (request, secret) =>
        withHeader(request, 'toast-signature', hmac('sha256', secret, `${request.body}${NOON}`, 'base64')),
      body: `{"timestamp":"${NOON}","eventType":"order_updated","guid":"0f3c","details":{"order":{"guid":"6ad7"}}}`,
      events: [{ eventType: 'order_updated', eventId: '0f3c', subject: '6ad7', occurredAt: NOON }],
    },
  ],
  Typeform: [
    {
      secret: 'typeform-secret',
      sign: inHeader('typeform-signature', 'sha256', 'base64', 'sha256='),
      body: '{"event_id":"01JN8Z","event_type":"form_response","form_response":{"form_id":"lT4Z3j"}}',
      events: [{ eventType: 'form_response', eventId: '01JN8Z', subject: 'lT4Z3j' }],
    },
  ],
  WooCommerce: [
    {
      secret: 'woocommerce-secret',
      headers: { 'x-wc-webhook-topic': 'order.created' },
      sign: inHeader('x-wc-webhook-signature', 'sha256', 'base64'),
      body: '{"id":727,"status":"processing","total":"29.35"}',
      events: [{ eventType: 'order.created', subject: '727' }],
    },
  ],
  Xero: [
    {
      secret: 'xero-webhook-key==',
      sign: inHeader('x-xero-signature', 'sha256', 'base64'),
      body: '{"events":[{"resourceId":"717f2bfc","eventCategory":"INVOICE","eventType":"UPDATE"}],"entropy":"S0m3"}',
      events: [
        {
          eventType: 'INVOICE.UPDATE',
          subject: '717f2bfc',
          payload: '{"resourceId":"717f2bfc","eventCategory":"INVOICE","eventType":"UPDATE"}',
        },
      ],
    },
    {
      secret: 'xero-webhook-key==',
      sign: inHeader('x-xero-signature', 'sha256', 'base64'),
      body: '{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3"}',
      events: [],
    },
  ],
  Zendesk: [
    {
      secret: 'zendesk-secret==',
      sign(request, secret) {
        const signature = hmac('sha256', secret, `${NOON}${request.body}`, 'base64');
        const timed = withHeader(request, 'x-zendesk-webhook-signature-timestamp', NOON);
        return withHeader(timed, 'x-zendesk-webhook-signature', signature);
      },
      body: `{"id":"2b24ef10","type":"zen:event-type:ticket.created","subject":"zen:ticket:4711","time":"${NOON}"}`,
      events: [
        {
          eventType: 'zen:event-type:ticket.created',
          eventId: '2b24ef10',
          subject: 'zen:ticket:4711',
          occurredAt: NOON,
        },
      ],
    },
  ],
  Braintree: [
    {
      // SHA-1 of the private key
      secret: 'b26fb5247a0c470c2cbc6e138193d48049bd04c6',
      account: { PUBLIC_KEY: 'pub123' },
      headers: FORM,
      async sign(request) {
        const { BraintreeGateway, Environment, WebhookNotification } = await load<BraintreePackage>('braintree');
        const keys = { merchantId: 'm', publicKey: 'pub123', privateKey: 'priv456' };
        const gateway = new BraintreeGateway({ environment: Environment.Sandbox, ...keys });
        const kind = WebhookNotification.Kind.SubscriptionWentPastDue;
        const form = await gateway.webhookTesting.sampleNotification(kind, 'sub_1');
        return { ...request, body: new URLSearchParams({ ...form }).toString() };
      },
      body: '',
      events: [{ eventType: 'subscription_went_past_due', subject: 'sub_1' }],
    },
  ],
};

interface BraintreePackage {
  Environment: { Sandbox: unknown };
  WebhookNotification: { Kind: { SubscriptionWentPastDue: string } };
  BraintreeGateway: new (options: object) => {
    webhookTesting: {
      sampleNotification(kind: string, id: string): Promise<Record<'bt_signature' | 'bt_payload', string>>;
    };
  };
}
