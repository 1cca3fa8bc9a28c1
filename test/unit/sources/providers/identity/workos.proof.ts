import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface WorkOSPackage {
  WorkOS: new (key: string) => {
    webhooks: { computeSignature(milliseconds: number, body: string, secret: string): Promise<string> };
  };
}

const USER =
  '{"id":"event_01HDEMO0000000000000000001","event":"dsync.user.created",' +
  '"data":{"id":"directory_user_01E1X1B89NH8Z3SDFJR4H7RGX7","state":"active"},' +
  '"created_at":"2026-09-21T14:13:19.123Z"}';
const LOGIN =
  '{"id":"event_01HDEMO0000000000000000002","event":"authentication.password_succeeded",' +
  '"data":{"type":"password","status":"succeeded","user_id":"user_01E4","email":"ada@example.com"},' +
  '"created_at":"2026-09-21T14:13:19.123Z"}';

export const proof: Proof = {
  provider: 'workos',
  outside: { signs: '@workos-inc/node: webhooks.computeSignature' },
  secrets: ['workos-webhook-secret', 'workos-another-secret'],
  async sign(request, secret, at) {
    const { WorkOS } = await load<WorkOSPackage>('@workos-inc/node');
    const signature = await new WorkOS('sk_test').webhooks.computeSignature(at.getTime(), request.body, secret);
    return withHeaders(request, { 'workos-signature': `t=${at.getTime()}, v1=${signature}` });
  },
  signed: ['workos-signature'],
  toleranceSeconds: 180,
  samples: [
    {
      request: { body: USER },
      events: [
        {
          eventType: 'dsync.user.created',
          subject: 'directory_user_01E1X1B89NH8Z3SDFJR4H7RGX7',
          eventId: 'event_01HDEMO0000000000000000001',
          occurredAt: '2026-09-21T14:13:19.123Z',
        },
      ],
    },
    {
      request: { body: LOGIN },
      events: [
        {
          eventType: 'authentication.password_succeeded',
          subject: 'user_01E4',
          eventId: 'event_01HDEMO0000000000000000002',
          occurredAt: '2026-09-21T14:13:19.123Z',
        },
      ],
    },
  ],
};
