import { accepts, load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface ResendPackage {
  Resend: new (key: string) => {
    webhooks: {
      verify(options: {
        payload: string;
        headers: { id: string; timestamp: string; signature: string };
        webhookSecret: string;
      }): unknown;
    };
  };
}
interface SvixPackage {
  Webhook: new (secret: string) => { sign(id: string, at: Date, body: string): string };
}

const DELIVERED =
  '{"type":"email.delivered","created_at":"2026-09-21T14:13:19.000Z",' +
  '"data":{"email_id":"5f6f0000-0000-4000-8000-000000000001","to":["ada@example.com"],"subject":"Hello"}}';
const CONTACT =
  '{"type":"contact.created","created_at":"2026-09-21T14:13:19.000Z","data":{"id":"e169aa45-0001","email":"a@b.c"}}';
const found = { eventId: 'msg_demo_resend_1', occurredAt: '2026-09-21T14:13:19.000Z' };

export const proof: Proof = {
  provider: 'resend',
  outside: {
    accepts: 'resend: webhooks.verify',
    async decide({ body, headers }, webhookSecret) {
      const { Resend } = await load<ResendPackage>('resend');
      const sent = {
        id: headers['svix-id'] ?? '',
        timestamp: headers['svix-timestamp'] ?? '',
        signature: headers['svix-signature'] ?? '',
      };
      return accepts(() => new Resend('re_key').webhooks.verify({ payload: body, headers: sent, webhookSecret }));
    },
  },
  secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_plJ3nmyCDGBKInavdOK15jsl'],
  async sign(request, secret, at) {
    const { Webhook } = await load<SvixPackage>('svix');
    return withHeaders(request, {
      'svix-id': 'msg_demo_resend_1',
      'svix-timestamp': String(at.getTime() / 1_000),
      'svix-signature': new Webhook(secret).sign('msg_demo_resend_1', at, request.body),
    });
  },
  signed: ['svix-signature', 'svix-id', 'svix-timestamp'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { body: DELIVERED },
      events: [{ eventType: 'email.delivered', subject: '5f6f0000-0000-4000-8000-000000000001', ...found }],
    },
    {
      request: { body: CONTACT },
      events: [{ eventType: 'contact.created', subject: 'e169aa45-0001', ...found }],
    },
  ],
};
