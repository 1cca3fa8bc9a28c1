import { accepts, hmac, load, unixSeconds, withHeaders, type Proof } from '../../../../support/sources/proof';

interface PaddlePackage {
  Paddle: new (key: string) => {
    webhooks: { isSignatureValid(body: string, secret: string, header: string): Promise<boolean> };
  };
}

const TRANSACTION =
  '{"event_id":"evt_01hv8x29kz0t586xy6zn1a62ny","event_type":"transaction.completed",' +
  '"occurred_at":"2026-09-21T14:13:19.621022Z","notification_id":"ntf_01hv8x29nm5yc1p3v9m5s6kq9v",' +
  '"data":{"id":"txn_01hv8wptq8987qeep44cyrewp9","status":"completed","customer_id":"ctm_01"}}';

export const proof: Proof = {
  provider: 'paddle',
  outside: {
    accepts: '@paddle/paddle-node-sdk: webhooks.isSignatureValid',
    async decide({ body, headers }, secret) {
      const { Paddle } = await load<PaddlePackage>('@paddle/paddle-node-sdk');
      return accepts(() =>
        new Paddle('key').webhooks.isSignatureValid(body, secret, headers['paddle-signature'] ?? ''),
      );
    },
  },
  secrets: ['pdl_ntfset_01sample_secret', 'pdl_ntfset_01another_secret'],
  sign(request, secret, at) {
    const ts = unixSeconds(at);
    const h1 = hmac('sha256', secret, `${ts}:${request.body}`, 'hex');
    return withHeaders(request, { 'paddle-signature': `ts=${ts};h1=${h1}` });
  },
  signed: ['paddle-signature'],
  toleranceSeconds: 60,
  samples: [
    {
      request: { body: TRANSACTION },
      events: [
        {
          eventType: 'transaction.completed',
          subject: 'txn_01hv8wptq8987qeep44cyrewp9',
          eventId: 'evt_01hv8x29kz0t586xy6zn1a62ny',
          occurredAt: '2026-09-21T14:13:19.621022Z',
        },
      ],
    },
  ],
};
