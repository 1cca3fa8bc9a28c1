import { hmac, unixSeconds, withHeaders, type Proof } from '../../../../support/sources/proof';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
const PUBLISHED =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar' +
  '&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com' +
  '%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN' +
  '&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';

const MESSAGE =
  '{"token":"deprecated","team_id":"T01","api_app_id":"A01","type":"event_callback","event_id":"Ev0DEMO0001",' +
  '"event_time":1789999999,"event":{"type":"message","channel":"C01","user":"U01","text":"hi"}}';
const CHANNEL =
  '{"team_id":"T01","type":"event_callback","event_id":"Ev0DEMO0002","event_time":1789999999,' +
  '"event":{"type":"channel_created","channel":{"id":"C02","name":"fun"}}}';
const USER =
  '{"team_id":"T01","type":"event_callback","event_id":"Ev0DEMO0003","event":{"type":"team_join","user":{"id":"U03"}}}';
const REACTION =
  '{"team_id":"T01","type":"event_callback","event_id":"Ev0DEMO0004",' +
  '"event":{"type":"reaction_added","user":"U01","item":{"type":"message","channel":"C04"}}}';
const LIMITED = '{"token":"deprecated","type":"app_rate_limited","team_id":"T01","minute_rate_limited":1789999980}';
const BUTTON =
  '{"type":"block_actions","trigger_id":"1.2.def","team":{"id":"T01"},"user":{"id":"U01"},' +
  '"actions":[{"action_id":"approve","block_id":"b1","value":"42"}]}';

export const proof: Proof = {
  provider: 'slack',
  outside: { publishes: 'https://docs.slack.dev/authentication/verifying-requests-from-slack' },
  examples: [
    {
      secret: '8f742231b10e8888abcd99yyyzzz85a5',
      at: new Date(1531420618_000),
      request: {
        headers: {
          ...FORM,
          'x-slack-request-timestamp': '1531420618',
          'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
        },
        body: PUBLISHED,
      },
    },
  ],
  secrets: ['slack0sample0signing0secret00000', 'slack0another0signing0secret0000'],
  sign(request, secret, at) {
    const timestamp = unixSeconds(at);
    return withHeaders(request, {
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${hmac('sha256', secret, `v0:${timestamp}:${request.body}`, 'hex')}`,
    });
  },
  signed: ['x-slack-signature', 'x-slack-request-timestamp'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { body: MESSAGE },
      events: [{ eventType: 'message', subject: 'C01', eventId: 'Ev0DEMO0001' }],
    },
    { request: { body: CHANNEL }, events: [{ eventType: 'channel_created', subject: 'C02', eventId: 'Ev0DEMO0002' }] },
    { request: { body: USER }, events: [{ eventType: 'team_join', subject: 'U03', eventId: 'Ev0DEMO0003' }] },
    { request: { body: REACTION }, events: [{ eventType: 'reaction_added', subject: 'C04', eventId: 'Ev0DEMO0004' }] },
    {
      request: { body: LIMITED },
      events: [
        {
          eventType: 'app_rate_limited',
          subject: 'T01',
          eventId: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        },
      ],
    },
    {
      request: {
        headers: FORM,
        body: 'team_id=T01&channel_id=C01&user_id=U01&command=%2Fdeploy&text=prod+now&trigger_id=1.2.abc',
      },
      events: [
        {
          eventType: '/deploy',
          subject: 'C01',
          eventId: '1.2.abc',
          payload:
            '{"team_id":"T01","channel_id":"C01","user_id":"U01","command":"/deploy","text":"prod now","trigger_id":"1.2.abc"}',
        },
      ],
    },
    {
      request: { headers: FORM, body: `payload=${encodeURIComponent(BUTTON)}` },
      events: [{ eventType: 'block_actions', subject: 'U01', eventId: '1.2.def', payload: BUTTON }],
    },
  ],
  handshakes: [
    {
      request: { body: '{"token":"deprecated","challenge":"3eZbrw1aB-demo","type":"url_verification"}' },
      name: 'url_verification',
      answer: { status: 200, body: '3eZbrw1aB-demo' },
    },
    {
      request: { headers: FORM, body: 'ssl_check=1&token=deprecated' },
      name: 'ssl_check',
      answer: { status: 200, body: '' },
    },
  ],
};
