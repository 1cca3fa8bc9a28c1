import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface StripePackage {
  default: new (key: string) => {
    webhooks: {
      generateTestHeaderString(options: { payload: string; secret: string; timestamp: number }): string;
    };
  };
}

const INVOICE =
  '{"id":"evt_1SfDemo0001","object":"event","api_version":"2026-01-28","created":1789999998,"livemode":false,' +
  '"type":"invoice.paid","data":{"object":{"id":"in_1SfDemo0001","object":"invoice","amount_paid":4200}}}';
const THIN =
  '{"id":"evt_test_65R9","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered",' +
  '"created":"2026-09-21T14:13:18.120Z","related_object":{"id":"mtr_test_61R","type":"billing.meter"}}';
const BALANCE =
  '{"id":"evt_1SfDemo0002","object":"event","created":1789999998,"type":"balance.available",' +
  '"data":{"object":{"object":"balance","available":[]}}}';

export const proof: Proof = {
  provider: 'stripe',
  outside: { signs: 'stripe: webhooks.generateTestHeaderString' },
  secrets: ['whsec_streamforge_sample', 'whsec_streamforge_other'],
  async sign(request, secret, at) {
    const { default: Stripe } = await load<StripePackage>('stripe');
    const timestamp = at.getTime() / 1_000;
    const header = new Stripe('sk_test_x').webhooks.generateTestHeaderString({
      payload: request.body,
      secret,
      timestamp,
    });
    return withHeaders(request, { 'stripe-signature': header });
  },
  signed: ['stripe-signature'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { body: INVOICE },
      events: [
        {
          eventType: 'invoice.paid',
          subject: 'in_1SfDemo0001',
          eventId: 'evt_1SfDemo0001',
          occurredAt: '2026-09-21T14:13:18.000Z',
        },
      ],
    },
    {
      request: { body: THIN },
      events: [
        {
          eventType: 'v1.billing.meter.error_report_triggered',
          subject: 'mtr_test_61R',
          eventId: 'evt_test_65R9',
          occurredAt: '2026-09-21T14:13:18.120Z',
        },
      ],
    },
    {
      request: { body: BALANCE },
      events: [
        {
          eventType: 'balance.available',
          subject: 'evt_1SfDemo0002',
          eventId: 'evt_1SfDemo0002',
          occurredAt: '2026-09-21T14:13:18.000Z',
        },
      ],
    },
  ],
};
