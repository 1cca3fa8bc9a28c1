import { accepts, hmac, load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface LinearPackage {
  LinearWebhookClient: new (secret: string) => { verify(body: Buffer, signature: string): boolean };
}

const ISSUE =
  '{"action":"update","type":"Issue","createdAt":"2026-09-21T14:13:19.123Z","data":{"id":"2174add1-f7c8"},' +
  '"organizationId":"dd3b0001","webhookTimestamp":0,"webhookId":"000042e3-d123"}';
const REVOKED =
  '{"action":"revoked","type":"OAuthApp","createdAt":"2026-09-21T14:13:19.123Z","oauthClientId":"app-1",' +
  '"organizationId":"dd3b0001","webhookTimestamp":0}';
const headers = { 'linear-delivery': '234d1a4e-b617-4388-90fe-adc3633d6b72' };
const found = { eventId: '234d1a4e-b617-4388-90fe-adc3633d6b72', occurredAt: '2026-09-21T14:13:19.123Z' };

export const proof: Proof = {
  provider: 'linear',
  outside: {
    accepts: '@linear/sdk: LinearWebhookClient.verify',
    async decide({ body, headers: sent }, secret) {
      const { LinearWebhookClient } = await load<LinearPackage>('@linear/sdk/webhooks');
      const client = new LinearWebhookClient(secret);
      return accepts(() => client.verify(Buffer.from(body), sent['linear-signature'] ?? ''));
    },
  },
  secrets: ['lin_wh_sample_secret', 'lin_wh_another_secret'],
  sign(request, secret, at) {
    const body = request.body.replace('"webhookTimestamp":0', `"webhookTimestamp":${at.getTime()}`);
    return withHeaders({ ...request, body }, { 'linear-signature': hmac('sha256', secret, body, 'hex') });
  },
  signed: ['linear-signature'],
  toleranceSeconds: 60,
  samples: [
    {
      request: { headers, body: ISSUE },
      events: [{ eventType: 'Issue.update', subject: '2174add1-f7c8', ...found }],
    },
    {
      request: { headers, body: REVOKED },
      events: [{ eventType: 'OAuthApp.revoked', subject: 'app-1', ...found }],
    },
  ],
};
