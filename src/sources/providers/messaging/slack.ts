import { always } from '../../directory/answers';
import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

/** The Events API, slash commands and interactions, which Slack sends to one URL or to several. */
export const SLACK: Provider = {
  id: 'slack',
  name: 'Slack',
  documentation: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
  checkedOn: '2026-11-29',
  proof: "the worked example of Slack's documentation",
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-slack-signature',
    prefix: 'v0=',
    signed: 'v0:{header:x-slack-request-timestamp}:{body}',
    timestamp: { header: 'x-slack-request-timestamp', toleranceSeconds: 300 },
  },
  secret: 'the signing secret of the app',
  jsonField: 'payload',
  mapping: {
    eventType: ['/event/type', '/command', '/type'],
    // A few interactions, such as view_closed, have no id. A digest of the body stands in for it.
    eventId: ['/event_id', '/trigger_id', { template: '{sha256}' }],
    subject: [
      '/event/channel/id',
      '/event/channel',
      '/event/channel_id',
      '/event/item/channel',
      '/event/user/id',
      '/event/user',
      '/event/file_id',
      '/channel/id',
      '/channel_id',
      '/user/id',
      '/user_id',
      '/team_id',
      '/team/id',
    ],
  },
  handshakes: HANDSHAKES.slack,
  // Slack shows the text of an answer to a command in the channel.
  answers: always({ status: 200, body: '' }),
};
