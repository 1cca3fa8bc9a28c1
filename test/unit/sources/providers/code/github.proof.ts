import { loadFile, withHeaders, type Proof } from '../../../../support/sources/proof';

interface OctokitPackage {
  sign: (secret: string, body: string) => Promise<string>;
}

const ISSUE =
  '{"action":"opened","issue":{"id":9001,"number":7,"title":"Broken build"},' +
  '"repository":{"id":501,"full_name":"acme/rockets"},"sender":{"id":11,"login":"wile"}}';
const PING = '{"zen":"Keep it logically awesome.","hook_id":109948940,"hook":{"type":"App"}}';
const headers = { 'x-github-event': 'issues', 'x-github-delivery': '6f1e2d3c-0001-4a5b-8c7d-000000000007' };
const eventId = '6f1e2d3c-0001-4a5b-8c7d-000000000007';

export const proof: Proof = {
  provider: 'github',
  outside: { signs: '@octokit/webhooks-methods: sign' },
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  examples: [
    {
      secret: "It's a Secret to Everybody",
      request: {
        headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
        body: 'Hello, World!',
      },
    },
  ],
  secrets: ['gh-sample-secret', 'gh-another-secret'],
  async sign(request, secret) {
    const { sign } = await loadFile<OctokitPackage>('@octokit/webhooks-methods/dist-node/index.js');
    return withHeaders(request, { 'x-hub-signature-256': await sign(secret, request.body) });
  },
  signed: ['x-hub-signature-256'],
  samples: [
    {
      request: { headers, body: ISSUE },
      events: [{ eventType: 'issues.opened', subject: 'acme/rockets', eventId }],
    },
    {
      request: { headers: { ...headers, 'x-github-event': 'ping' }, body: PING },
      events: [{ eventType: 'ping', subject: '109948940', eventId }],
    },
    {
      request: {
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: `payload=${encodeURIComponent(ISSUE)}`,
      },
      events: [{ eventType: 'issues.opened', subject: 'acme/rockets', eventId, payload: ISSUE }],
    },
  ],
};
