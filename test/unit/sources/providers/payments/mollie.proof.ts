import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface MolliePackage {
  SignatureValidator: { createSignature(body: string, secret: string): Promise<string> };
}

const PAID =
  '{"resource":"event","id":"event_GvJ8WHrp5isUdRub9CJyH","type":"payment-link.paid","entityId":"pl_qng5gbbv8NAZ5gpM5ZYgx","createdAt":"2026-11-29T11:59:58+00:00","_embedded":{"entity":{"resource":"payment-link","id":"pl_qng5gbbv8NAZ5gpM5ZYgx","mode":"live","amount":{"value":"24.95","currency":"EUR"}}},"_links":{}}';

export const proof: Proof = {
  provider: 'mollie',
  outside: { signs: 'mollie-api-typescript: SignatureValidator.createSignature' },
  secrets: ['mollie-signing-secret-one', 'mollie-signing-secret-two'],
  async sign(request, secret) {
    const { SignatureValidator } = await load<MolliePackage>('mollie-api-typescript/utils/webhooks/index');
    const signature = await SignatureValidator.createSignature(request.body, secret);
    return withHeaders(request, { 'x-mollie-signature': `sha256=${signature}` });
  },
  signed: ['x-mollie-signature'],
  samples: [
    {
      request: { body: PAID },
      events: [
        {
          eventType: 'payment-link.paid',
          subject: 'pl_qng5gbbv8NAZ5gpM5ZYgx',
          eventId: 'event_GvJ8WHrp5isUdRub9CJyH',
          occurredAt: '2026-11-29T11:59:58+00:00',
        },
      ],
    },
  ],
};
