import { ADMIN_TOKEN } from '../support/app';
import { call } from '../support/e2e-http';

/** Creates a source that takes one envelope a request from anybody. Returns its path. */
export async function createSource(url: string, tenantId: string): Promise<string> {
  const answer = await call<{ url: string }>(`${url}/v1/admin/sources`, {
    method: 'POST',
    headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ tenantId, name: tenantId, provider: 'custom', verification: { scheme: 'none' }, allowUnverified: true },
      mapping: {
        ...{ eventType: '$exists(eventType) ? eventType : type', subject: '/subject' },
        ...{ eventId: '$exists(eventId) ? eventId : $string($random())', payload: '/payload' },
      },
    }),
  });
  if (answer.status !== 201) throw new Error(`creating a source: ${answer.status} ${answer.text}`);
  return new URL(answer.body.url).pathname;
}
