import { hmac, withHeaders, type Proof } from '../../../../support/sources/proof';

const PUSH =
  '{"actor":{"display_name":"Ada"},"repository":{"type":"repository","full_name":"acme/rockets"},' +
  '"push":{"changes":[{"new":{"type":"branch","name":"main"}}]}}';
const DATA_CENTER =
  '{"eventKey":"pr:opened","date":"2026-09-21T16:13:19+0200",' +
  '"pullRequest":{"id":1,"toRef":{"repository":{"slug":"rockets","project":{"key":"ACME"}}}}}';

const event = (key: string): Record<string, string> => ({ 'x-event-key': key, 'x-hook-uuid': '6e0f3ca1-0000' });

export const proof: Proof = {
  provider: 'bitbucket',
  outside: { publishes: 'https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/' },
  examples: [
    {
      secret: "It's a Secret to Everybody",
      request: {
        headers: { 'x-hub-signature': 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9' },
        body: 'Hello World!',
      },
    },
  ],
  secrets: ['bb-sample-secret', 'bb-another-secret'],
  sign: (request, secret) =>
    withHeaders(request, { 'x-hub-signature': `sha256=${hmac('sha256', secret, request.body, 'hex')}` }),
  signed: ['x-hub-signature'],
  samples: [
    {
      request: { headers: event('repo:push'), body: PUSH },
      events: [{ eventType: 'repo:push', subject: 'acme/rockets' }],
    },
    {
      request: { headers: event('pr:opened'), body: DATA_CENTER },
      events: [{ eventType: 'pr:opened', subject: 'ACME/rockets' }],
    },
    {
      request: { headers: event('diagnostics:ping'), body: '{"test":true}' },
      events: [{ eventType: 'diagnostics:ping', subject: '6e0f3ca1-0000' }],
    },
  ],
};
