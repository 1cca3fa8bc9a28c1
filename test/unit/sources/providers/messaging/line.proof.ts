import { hmac, withHeaders, type Proof } from '../../../../support/sources/proof';

const MESSAGE =
  '{"type":"message","webhookEventId":"01FZ74A0TDDPYRVKNK77XKC3ZR","deliveryContext":{"isRedelivery":false},' +
  '"timestamp":1789999999123,"source":{"type":"user","userId":"U0001"},"mode":"active",' +
  '"message":{"id":"444573844083572737","type":"text","text":"hi"}}';
const JOINED =
  '{"type":"memberJoined","webhookEventId":"01FZ74ASS536FW97EX38NKCZQK","deliveryContext":{"isRedelivery":false},' +
  '"timestamp":1789999999456,"source":{"type":"group","groupId":"C0001","userId":"U0002"},"mode":"active"}';
const ACTIVATED =
  '{"type":"activated","webhookEventId":"01FZ74B0AAAAAAAAAAAAAAAAAA","timestamp":1789999999789,"mode":"active"}';

export const proof: Proof = {
  provider: 'line',
  outside: { publishes: 'https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/' },
  examples: [
    {
      secret: '8c570fa6dd201bb328f1c1eac23a96d8',
      request: {
        headers: { 'x-line-signature': 'GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=' },
        body: '{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}',
      },
    },
  ],
  secrets: ['8c570fa6dd201bb328f1c1eac23a96d8', '0c570fa6dd201bb328f1c1eac23a96d9'],
  sign: (request, secret) =>
    withHeaders(request, { 'x-line-signature': hmac('sha256', secret, request.body, 'base64') }),
  signed: ['x-line-signature'],
  samples: [
    {
      request: { body: `{"destination":"U8e742f61","events":[${MESSAGE},${JOINED},${ACTIVATED}]}` },
      events: [
        {
          eventType: 'message',
          subject: 'U0001',
          eventId: '01FZ74A0TDDPYRVKNK77XKC3ZR',
          occurredAt: '2026-09-21T14:13:19.123Z',
          payload: MESSAGE,
        },
        {
          eventType: 'memberJoined',
          subject: 'C0001',
          eventId: '01FZ74ASS536FW97EX38NKCZQK',
          occurredAt: '2026-09-21T14:13:19.456Z',
          payload: JOINED,
        },
        {
          eventType: 'activated',
          subject: 'U8e742f61',
          eventId: '01FZ74B0AAAAAAAAAAAAAAAAAA',
          occurredAt: '2026-09-21T14:13:19.789Z',
          payload: ACTIVATED,
        },
      ],
    },
    // The console sends this to verify a URL.
    { request: { body: '{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}' }, events: [] },
  ],
};
