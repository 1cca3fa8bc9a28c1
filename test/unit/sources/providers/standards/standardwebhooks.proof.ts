import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface StandardPackage {
  Webhook: new (secret: string) => { sign(id: string, at: Date, body: string): string };
}

const SHIPPED =
  '{"type":"order.shipped","timestamp":"2026-09-21T14:13:18.120Z","data":{"id":"ord_77","carrier":"acme"}}';

export const proof: Proof = {
  provider: 'standardwebhooks',
  outside: { signs: 'standardwebhooks: Webhook.sign' },
  // The last signature is in the tests of https://github.com/standard-webhooks/standard-webhooks; the others are wrong.
  examples: [
    {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      at: new Date(1614265330_000),
      request: {
        headers: {
          'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
          'webhook-timestamp': '1614265330',
          'webhook-signature':
            'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1a,zzz v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
        },
        body: '{"test": 2432232314}',
      },
    },
  ],
  secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  async sign(request, secret, at) {
    const { Webhook } = await load<StandardPackage>('standardwebhooks');
    return withHeaders(request, {
      'webhook-id': 'msg_demo_0001',
      'webhook-timestamp': String(at.getTime() / 1_000),
      'webhook-signature': new Webhook(secret).sign('msg_demo_0001', at, request.body),
    });
  },
  signed: ['webhook-signature', 'webhook-id', 'webhook-timestamp'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { body: SHIPPED },
      events: [{ eventType: 'order.shipped', subject: 'ord_77', eventId: 'msg_demo_0001' }],
    },
  ],
};
