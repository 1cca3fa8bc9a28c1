import { say } from '../../runtime/command';
import { askAdmin, registerDemoTenant, type AdminApi } from './api';
import { DEMO_TENANT } from './demo-events';

const KEY_NAME = 'demo';
const KEYS = `tenants/${DEMO_TENANT}/keys`;
/** How long the key of an earlier run goes on when this run needs one. */
const OVERLAP_SECONDS = 600;

interface ListedKey {
  id: string;
  name: string;
  revokedAt: string | null;
  expiresAt: string | null;
}

/**
 * Registers the demo tenant, makes a key and prints it, unless an earlier run has done so. That key cannot be shown
 * again. If this run needs a key to send events, it rotates the key of the earlier run. Returns the new key, if any.
 */
export async function demoKey(api: AdminApi, isNeeded: boolean): Promise<string | undefined> {
  await registerDemoTenant(api);
  const { keys } = await askAdmin<{ keys: ListedKey[] }>(api, 'GET', `${KEYS}?limit=500`);
  const earlier = keys.find(({ name, revokedAt, expiresAt }) => name === KEY_NAME && !revokedAt && !expiresAt);
  if (earlier && !isNeeded) {
    say(`The tenant ${DEMO_TENANT} has the API key ${earlier.id}, which was printed when it was made.`);
    return undefined;
  }
  const [path, body] = earlier
    ? [`${KEYS}/${earlier.id}/rotate`, { overlapSeconds: OVERLAP_SECONDS }]
    : [KEYS, { name: KEY_NAME, scopes: ['ingest', 'read'] }];
  const { key } = await askAdmin<{ key: string }>(api, 'POST', path, body);
  say(`API key of the tenant ${DEMO_TENANT}, shown only now: ${key}`);
  return key;
}
