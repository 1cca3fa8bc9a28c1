import { accepts, hmac, load, withHeaders, type Proof, type Sample } from '../../../../support/sources/proof';

interface GoCardlessPackage {
  verifySignature: (body: string, secret: string, header: string) => void;
}

const CONFIRMED =
  '{"id":"EV00BD05S5VM2T","created_at":"2026-11-29T11:59:58.000Z","resource_type":"payments","action":"confirmed","links":{"payment":"PM00BCTT6K3V5Q"},"details":{"origin":"gocardless","cause":"payment_confirmed","description":"Payment was confirmed"},"metadata":{}}';
const CANCELLED =
  '{"id":"EV00BD05TB8K63","created_at":"2026-11-29T11:59:59.000Z","resource_type":"mandates","action":"cancelled","links":{"mandate":"MD00BCT2K9ZZ1A"},"details":{"origin":"bank","cause":"bank_account_closed"},"metadata":{}}';

/** An event with these links, and what it is about. */
function about(type: string, action: string, links: string, subject: string): Sample {
  const event = `{"id":"EV1","created_at":"2026-11-29T12:00:00.000Z","resource_type":"${type}","action":"${action}","links":${links}}`;
  const fields = { eventType: `${type}.${action}`, eventId: 'EV1', occurredAt: '2026-11-29T12:00:00.000Z' };
  return { request: { body: `{"events":[${event}]}` }, events: [{ ...fields, subject, payload: event }] };
}

export const proof: Proof = {
  provider: 'gocardless',
  outside: {
    accepts: 'gocardless-nodejs: webhooks.verifySignature',
    async decide({ headers, body }, secret) {
      const { verifySignature } = await load<GoCardlessPackage>('gocardless-nodejs/webhooks');
      return accepts(() => verifySignature(body, secret, headers['webhook-signature'] as string));
    },
  },
  secrets: ['gocardless-secret-one', 'gocardless-secret-two'],
  sign: (request, secret) => withHeaders(request, { 'webhook-signature': hmac('sha256', secret, request.body, 'hex') }),
  signed: ['webhook-signature'],
  samples: [
    {
      request: { body: `{"events":[${CONFIRMED},${CANCELLED}],"meta":{"webhook_id":"WB00BD06AAAA11"}}` },
      events: [
        {
          eventType: 'payments.confirmed',
          eventId: 'EV00BD05S5VM2T',
          subject: 'PM00BCTT6K3V5Q',
          occurredAt: '2026-11-29T11:59:58.000Z',
          payload: CONFIRMED,
        },
        {
          eventType: 'mandates.cancelled',
          eventId: 'EV00BD05TB8K63',
          subject: 'MD00BCT2K9ZZ1A',
          occurredAt: '2026-11-29T11:59:59.000Z',
          payload: CANCELLED,
        },
      ],
    },
    about('payments', 'paid_out', '{"payment":"PM1","payout":"PO1"}', 'PM1'),
    about('payouts', 'paid', '{"payout":"PO1"}', 'PO1'),
    about('subscriptions', 'payment_created', '{"payment":"PM1","subscription":"SB1"}', 'SB1'),
    about('refunds', 'paid', '{"refund":"RF1"}', 'RF1'),
    about('mandates', 'replaced', '{"mandate":"MD1","new_mandate":"MD2"}', 'MD1'),
    about('billing_requests', 'fulfilled', '{"billing_request":"BRQ1","mandate_request_mandate":"MD1"}', 'BRQ1'),
    about('things', 'made', '{"thing":"TH1"}', 'EV1'),
  ],
};
