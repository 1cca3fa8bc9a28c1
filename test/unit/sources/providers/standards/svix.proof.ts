import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface SvixPackage {
  Webhook: new (secret: string) => { sign(id: string, at: Date, body: string): string };
}

export const proof: Proof = {
  provider: 'svix',
  outside: { signs: 'svix: Webhook.sign' },
  // https://docs.svix.com/receiving/verifying-payloads/how-manual
  examples: [
    {
      secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
      at: new Date(1731705121_000),
      request: {
        headers: {
          'svix-id': 'msg_loFOjxBNrRLzqYUf',
          'svix-timestamp': '1731705121',
          'svix-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
        },
        body: '{"event_type":"ping","data":{"success":true}}',
      },
    },
  ],
  secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_plJ3nmyCDGBKInavdOK15jsl'],
  async sign(request, secret, at) {
    const { Webhook } = await load<SvixPackage>('svix');
    return withHeaders(request, {
      'svix-id': 'msg_2DemoSvix0001',
      'svix-timestamp': String(at.getTime() / 1_000),
      'svix-signature': new Webhook(secret).sign('msg_2DemoSvix0001', at, request.body),
    });
  },
  signed: ['svix-signature', 'svix-id', 'svix-timestamp'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { body: '{"type":"user.created","data":{"id":"usr_01","email":"ada@example.com"}}' },
      events: [{ eventType: 'user.created', subject: 'usr_01', eventId: 'msg_2DemoSvix0001' }],
    },
    {
      request: { body: '{"event_type":"ping","data":{"success":true}}' },
      events: [{ eventType: 'ping', subject: 'msg_2DemoSvix0001', eventId: 'msg_2DemoSvix0001' }],
    },
  ],
};
