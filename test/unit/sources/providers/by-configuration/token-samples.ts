import { hash } from 'node:crypto';
import { SignJWT } from 'jose';
import { load } from '../../../../support/sources/proof';
import { FORM, withHeader, type ConfiguredSample } from './sample';

const DELIVERED =
  '{"channel":"sms","message_uuid":"aaaaaaaa-bbbb","timestamp":"2026-11-29T12:00:00Z","status":"delivered"}';
const CREATED = '{"type":"message.created","conversation":{"id":"2e15efaf"},"message":{"id":"8909570b"}}';

const tokenOf = (body: string, secret: string, issuer: string, at: Date): Promise<string> =>
  new SignJWT({ payload_hash: hash('sha256', body, 'hex') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setIssuedAt(at)
    .setNotBefore(at)
    .setExpirationTime(new Date(at.getTime() + 60_000))
    .setJti('59a244dc')
    .sign(Buffer.from(secret));

interface VonagePackage {
  verifySignature: (token: string, secret: string) => boolean;
}

/** Samples of providers that send a token, or nothing, in place of a signature of the body. */
export const TOKEN_SAMPLES: Readonly<Record<string, readonly ConfiguredSample[]>> = {
  Contentful: [
    {
      secret: 'a-token-of-the-webhook',
      headers: { 'x-contentful-topic': 'ContentManagement.Entry.publish' },
      sign: (request, secret) => withHeader(request, 'x-webhook-token', secret),
      body: '{"sys":{"type":"Entry","id":"5KsDBWseXY6QegucYAoacS"}}',
      events: [{ eventType: 'ContentManagement.Entry.publish', subject: '5KsDBWseXY6QegucYAoacS' }],
    },
  ],
  MessageBird: [
    {
      secret: 'messagebird-signing-key',
      sign: async (request, secret, at) =>
        withHeader(request, 'messagebird-signature-jwt', await tokenOf(request.body, secret, 'MessageBird', at)),
      body: CREATED,
      events: [{ eventType: 'message.created', subject: '2e15efaf', eventId: '8909570b' }],
    },
  ],
  'Mollie, `webhookUrl` of a payment': [
    {
      secret: 'unused',
      headers: FORM,
      body: 'id=tr_5B8cwPMGnU6qLbRvo7qEZo',
      events: [
        {
          eventType: 'payment.updated',
          subject: 'tr_5B8cwPMGnU6qLbRvo7qEZo',
          payload: '{"id":"tr_5B8cwPMGnU6qLbRvo7qEZo"}',
        },
      ],
    },
  ],
  Vonage: [
    {
      secret: 'vonage-signature-secret',
      async sign(request, secret, at) {
        const token = await tokenOf(request.body, secret, 'Vonage', at);
        const { verifySignature } = await load<VonagePackage>('@vonage/jwt');
        expect(verifySignature(token, secret)).toBe(true);
        return withHeader(request, 'authorization', `Bearer ${token}`);
      },
      body: DELIVERED,
      events: [{ eventType: 'delivered', subject: 'aaaaaaaa-bbbb', occurredAt: '2026-11-29T12:00:00Z' }],
    },
  ],
};
