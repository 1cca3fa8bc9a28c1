import { accepts, hmac, load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface RazorpayPackage {
  default: { validateWebhookSignature(body: string, signature: string, secret: string): boolean };
}

const body = (event: string, payload: Record<string, unknown>): string =>
  JSON.stringify({ entity: 'event', account_id: 'acc_BFQ7uQEaa7j2z7', event, payload, created_at: 1789999999 });
const payment = { entity: { id: 'pay_DESlfW9H8K9uqM', amount: 10000, currency: 'INR', status: 'captured' } };
const headers = { 'x-razorpay-event-id': 'evt_demo_0001' };
const found = { eventId: 'evt_demo_0001', occurredAt: '2026-09-21T14:13:19.000Z' };

export const proof: Proof = {
  provider: 'razorpay',
  outside: {
    accepts: 'razorpay: validateWebhookSignature',
    async decide(request, secret) {
      const { default: Razorpay } = await load<RazorpayPackage>('razorpay');
      const signature = request.headers['x-razorpay-signature'] ?? '';
      return accepts(() => Razorpay.validateWebhookSignature(request.body, signature, secret));
    },
  },
  secrets: ['rzp-webhook-secret', 'rzp-another-secret'],
  sign: (request, secret) =>
    withHeaders(request, { 'x-razorpay-signature': hmac('sha256', secret, request.body, 'hex') }),
  signed: ['x-razorpay-signature'],
  samples: [
    {
      request: { headers, body: body('payment.captured', { payment }) },
      events: [{ eventType: 'payment.captured', subject: 'pay_DESlfW9H8K9uqM', ...found }],
    },
    {
      request: { headers, body: body('refund.processed', { refund: { entity: { id: 'rfnd_1' } }, payment }) },
      events: [{ eventType: 'refund.processed', subject: 'rfnd_1', ...found }],
    },
    {
      request: { headers, body: body('account.app.authorization_revoked', {}) },
      events: [{ eventType: 'account.app.authorization_revoked', subject: 'acc_BFQ7uQEaa7j2z7', ...found }],
    },
  ],
};
