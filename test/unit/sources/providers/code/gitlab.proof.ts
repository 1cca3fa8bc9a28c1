import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface StandardPackage {
  Webhook: new (secret: string) => { sign(id: string, at: Date, body: string): string };
}

const ID = 'f5e5f430-f57b-4e6e-9fac-d9128cd7232f';
const headers = { 'x-gitlab-event': 'Merge Request Hook', 'x-gitlab-instance': 'https://gitlab.example.com' };
const project = '"project":{"id":15,"path_with_namespace":"acme/rockets"}';

const BODIES: [body: string, eventType: string, subject: string][] = [
  [
    `{"object_kind":"merge_request",${project},"object_attributes":{"id":99,"action":"open"}}`,
    'merge_request.open',
    'acme/rockets',
  ],
  [`{"object_kind":"push","event_name":"push","ref":"refs/heads/main",${project}}`, 'push', 'acme/rockets'],
  [
    `{"object_kind":"pipeline","object_attributes":{"id":31,"status":"success"},${project}}`,
    'pipeline',
    'acme/rockets',
  ],
  [`{"object_kind":"release","action":"create",${project}}`, 'release.create', 'acme/rockets'],
  [
    '{"event_name":"user_add_to_group","group_path":"acme/team","user_username":"ada"}',
    'user_add_to_group',
    'acme/team',
  ],
  ['{"event_name":"project_create","path_with_namespace":"acme/new","project_id":74}', 'project_create', 'acme/new'],
  ['{"event_name":"user_create","username":"js","user_id":41}', 'user_create', 'js'],
  ['{"event_name":"group_create","full_path":"acme/group","group_id":78}', 'group_create', 'acme/group'],
];

export const proof: Proof = {
  provider: 'gitlab',
  outside: { signs: 'standardwebhooks: Webhook.sign, which GitLab itself tests with' },
  secrets: ['whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=', 'whsec_CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg='],
  async sign(request, secret, at) {
    const { Webhook } = await load<StandardPackage>('standardwebhooks');
    return withHeaders(request, {
      'webhook-id': ID,
      'webhook-timestamp': String(at.getTime() / 1_000),
      'webhook-signature': new Webhook(secret).sign(ID, at, request.body),
    });
  },
  signed: ['webhook-signature', 'webhook-id', 'webhook-timestamp'],
  toleranceSeconds: 300,
  samples: BODIES.map(([body, eventType, subject]) => ({
    request: { headers, body },
    events: [{ eventType, subject, eventId: ID }],
  })) as unknown as Proof['samples'],
};
