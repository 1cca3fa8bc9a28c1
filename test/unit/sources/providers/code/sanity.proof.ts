import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface SanityPackage {
  encodeSignatureHeader: (body: string, timestampMs: number, secret: string) => Promise<string>;
}

const HEADERS = {
  'sanity-operation': 'update',
  'sanity-project-id': 'zp7mbokg',
  'sanity-dataset': 'production',
  'sanity-document-id': 'post-17',
  'idempotency-key': 'a9f0c3d2e1',
};

export const proof: Proof = {
  provider: 'sanity',
  outside: { signs: '@sanity/webhook: encodeSignatureHeader' },
  secrets: ['sanity-webhook-secret-one', 'sanity-webhook-secret-two'],
  async sign(request, secret, at) {
    const { encodeSignatureHeader } = await load<SanityPackage>('@sanity/webhook');
    const signature = await encodeSignatureHeader(request.body, at.getTime(), secret);
    return withHeaders(request, { 'sanity-webhook-signature': signature });
  },
  signed: ['sanity-webhook-signature'],
  samples: [
    {
      request: {
        headers: HEADERS,
        body: '{"_id":"post-17","_type":"post","_rev":"Hc6CPx","_updatedAt":"2026-11-29T11:59:58Z","title":"Hello"}',
      },
      events: [{ eventType: 'post.update', eventId: 'a9f0c3d2e1', subject: 'post-17' }],
    },
    {
      request: { headers: HEADERS, body: '{"title":"Only what the projection selects"}' },
      events: [{ eventType: 'update', eventId: 'a9f0c3d2e1', subject: 'post-17' }],
    },
  ],
};
