import { hmac, withHeaders, type Proof, type Sample } from '../../../../support/sources/proof';

/** https://github.com/PagerDuty/go-pagerduty/blob/main/webhookv3/webhookv3_test.go */
const PUBLISHED = {
  secret: 'lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK',
  signature: 'v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd',
  body: '{"event":{"id":"01BWDWL3NYY7LUFPZCC28QUCMK","event_type":"incident.priority_updated","resource_type":"incident","occurred_at":"2021-04-26T17:36:27.458Z","agent":{"html_url":"https://acme.pagerduty.com/users/PLH1HKV","id":"PLH1HKV","self":"https://api.pagerduty.com/users/PLH1HKV","summary":"Tenex Engineer","type":"user_reference"},"client":null,"data":{"id":"PGR0VU2","type":"incident","self":"https://api.pagerduty.com/incidents/PGR0VU2","html_url":"https://acme.pagerduty.com/incidents/PGR0VU2","number":2,"status":"triggered","title":"A little bump in the road","service":{"html_url":"https://acme.pagerduty.com/services/PF9KMXH","id":"PF9KMXH","self":"https://api.pagerduty.com/services/PF9KMXH","summary":"API Service","type":"service_reference"},"assignees":[{"html_url":"https://acme.pagerduty.com/users/PTUXL6G","id":"PTUXL6G","self":"https://api.pagerduty.com/users/PTUXL6G","summary":"User 123","type":"user_reference"}],"escalation_policy":{"html_url":"https://acme.pagerduty.com/escalation_policies/PUS0KTE","id":"PUS0KTE","self":"https://api.pagerduty.com/escalation_policies/PUS0KTE","summary":"Default","type":"escalation_policy_reference"},"teams":[{"html_url":"https://acme.pagerduty.com/teams/PFCVPS0","id":"PFCVPS0","self":"https://api.pagerduty.com/teams/PFCVPS0","summary":"Engineering","type":"team_reference"}],"priority":{"html_url":"https://acme.pagerduty.com/account/incident_priorities","id":"PSO75BM","self":"https://api.pagerduty.com/priorities/PSO75BM","summary":"P1","type":"priority_reference"},"urgency":"high","conference_bridge":{"conference_number":1000,"conference_url":"https://example.com"},"resolve_reason":null}}}',
};

const OF_OLD_SECRET = `v1=${'0'.repeat(64)}`;

function about(data: string, subject: string): Sample {
  const body = `{"event":{"id":"EV1","event_type":"x.y","occurred_at":"2026-11-29T12:00:00Z","data":${data}}}`;
  return {
    request: { body },
    events: [{ eventType: 'x.y', eventId: 'EV1', occurredAt: '2026-11-29T12:00:00Z', subject }],
  };
}

export const proof: Proof = {
  provider: 'pagerduty',
  outside: { publishes: 'PagerDuty/go-pagerduty: webhookv3_test.go' },
  examples: [PUBLISHED.signature, `${OF_OLD_SECRET},${PUBLISHED.signature}`].map((signature) => ({
    secret: PUBLISHED.secret,
    request: { headers: { 'x-pagerduty-signature': signature }, body: PUBLISHED.body },
  })),
  secrets: ['secret-of-a-subscription', 'another-secret-of-pagerduty'],
  sign: (request, secret) =>
    withHeaders(request, { 'x-pagerduty-signature': `v1=${hmac('sha256', secret, request.body, 'hex')}` }),
  signed: ['x-pagerduty-signature'],
  samples: [
    {
      request: { body: PUBLISHED.body },
      events: [
        {
          eventType: 'incident.priority_updated',
          eventId: '01BWDWL3NYY7LUFPZCC28QUCMK',
          subject: 'PGR0VU2',
          occurredAt: '2021-04-26T17:36:27.458Z',
        },
      ],
    },
    about('{"type":"incident_note","id":"PNOTE","incident":{"id":"PINC"}}', 'PINC'),
    about('{"type":"ping","message":"Hello from your friend Pagey!"}', 'EV1'),
  ],
};
