import { hmac, load, unixSeconds, withHeaders, type Proof, type SentRequest } from '../../../../support/sources/proof';

type LambdaEvent = Pick<SentRequest, 'headers' | 'body'> & { isBase64Encoded: false };

interface ZoomPackage {
  AwsLambdaReceiver: new (options: { webhooksSecretToken: string }) => {
    start(): (event: LambdaEvent, context: object) => Promise<{ statusCode: number; body: string }>;
  };
}

const SECRETS: Proof['secrets'] = ['zoom-secret-token-one', 'zoom-secret-token-two'];

/** What Zoom's package answers. It writes each request to the console. */
export async function answerOfZoom(
  { headers, body }: SentRequest,
  secret: string,
): Promise<{ statusCode: number; body: string }> {
  const { AwsLambdaReceiver } = await load<ZoomPackage>('@zoom/rivet/meetings');
  const logs = (['debug', 'error'] as const).map((name) =>
    jest.spyOn(console, name).mockImplementation(() => undefined),
  );
  try {
    const handle = new AwsLambdaReceiver({ webhooksSecretToken: secret }).start();
    return await handle({ headers, body, isBase64Encoded: false }, {});
  } finally {
    logs.forEach((log) => log.mockRestore());
  }
}

export function signedByZoom(request: SentRequest, secret: string, at: Date): SentRequest {
  const time = unixSeconds(at);
  const signature = hmac('sha256', secret, `v0:${time}:${request.body}`, 'hex');
  return withHeaders(request, { 'x-zm-request-timestamp': time, 'x-zm-signature': `v0=${signature}` });
}

/** The package signs what JSON.stringify makes of a body, so these are compact. */
const STARTED =
  '{"event":"meeting.started","event_ts":1795953598123,"payload":{"account_id":"lAAAAAAAAAAAAA","object":{"id":"98765432101","uuid":"4444AAAiAAAAAiAiAiiAii==","topic":"Standup","type":2,"host_id":"x1yCzABCDEfg23HiJKl4mN","start_time":"2026-11-29T11:59:58Z","timezone":"Europe/Berlin"}}}';
const DEAUTHORIZED =
  '{"event":"app_deauthorized","event_ts":1795953598123,"payload":{"account_id":"acc1","user_id":"u1"}}';

export const proof: Proof = {
  provider: 'zoom',
  outside: {
    accepts: '@zoom/rivet: AwsLambdaReceiver',
    decide: async (request, secret) => (await answerOfZoom(request, secret)).statusCode === 200,
  },
  secrets: SECRETS,
  sign: signedByZoom,
  signed: ['x-zm-request-timestamp', 'x-zm-signature'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { body: STARTED },
      events: [{ eventType: 'meeting.started', subject: '98765432101', occurredAt: '2026-11-29T11:59:58.123Z' }],
    },
    {
      request: { body: DEAUTHORIZED },
      events: [{ eventType: 'app_deauthorized', subject: 'acc1', occurredAt: '2026-11-29T11:59:58.123Z' }],
    },
  ],
  handshakes: [
    {
      request: {
        body: '{"event":"endpoint.url_validation","event_ts":1654503849680,"payload":{"plainToken":"qgg8vlvZRS6U"}}',
      },
      name: 'endpoint.url_validation',
      answer: {
        status: 200,
        body: `{"plainToken":"qgg8vlvZRS6U","encryptedToken":"${hmac('sha256', SECRETS[0], 'qgg8vlvZRS6U', 'hex')}"}`,
      },
    },
  ],
};
