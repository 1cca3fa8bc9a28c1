import { DEMO_TENANT, type DemoEvent } from './demo-events';

export interface UploadSummary {
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** The address of an api and its admin token. */
export interface AdminApi {
  url: string;
  adminToken: string;
}

const UPLOAD_WITHIN_MS = 30_000;

/** Whether a StreamForge listens at this URL. */
export async function isStreamForge(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3_000) });
    return 'role' in ((await answer.json()) as object);
  } catch {
    return false; // nothing listens there, or another program
  }
}

/** Sends the events as one NDJSON stream, as a producer would. Without a key it only names the tenant. */
export async function sendEvents(
  url: string,
  key: string | undefined,
  events: readonly DemoEvent[],
): Promise<UploadSummary> {
  const tenant: Record<string, string> = key === undefined ? { 'X-Tenant-Id': DEMO_TENANT } : { 'X-Api-Key': key };
  const answer = await fetch(`${url}/v1/ingest/stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', ...tenant },
    body: events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    signal: AbortSignal.timeout(UPLOAD_WITHIN_MS),
  });
  const body = (await answer.json()) as { summary?: UploadSummary; detail?: string };
  if (!body.summary) throw new Error(`The api responded with ${answer.status}: ${body.detail ?? 'no summary'}`);
  return body.summary;
}

function sendAdmin(api: AdminApi, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${api.url}/v1/admin/${path}`, {
    method,
    headers: { 'X-Admin-Token': api.adminToken, ...(body ? { 'Content-Type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

/** Returns the response of an admin endpoint. @throws when it is a problem */
export async function askAdmin<T>(api: AdminApi, method: string, path: string, body?: object): Promise<T> {
  const answer = await sendAdmin(api, method, path, body);
  if (!answer.ok) throw new Error(`The api responded with ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Registers the demo tenant, unless an earlier run has done so. */
export async function registerDemoTenant(api: AdminApi): Promise<void> {
  const known = await sendAdmin(api, 'GET', `tenants/${DEMO_TENANT}`);
  await known.text();
  if (known.ok) return;
  await askAdmin(api, 'POST', 'tenants', { id: DEMO_TENANT, name: 'Demo shop' });
}

/** A path that StreamForge does not have: it answers every delivery with 404. */
const REFUSING_RECEIVER = '/no-such-receiver';

/** Registers StreamForge at `url` itself as the receiver of the failing events, unless an earlier run has done so. */
export async function registerFailingReceiver(api: AdminApi, url: string): Promise<void> {
  const known = await askAdmin<object>(api, 'GET', `destinations?tenantId=${DEMO_TENANT}`);
  if (JSON.stringify(known).includes(REFUSING_RECEIVER)) return;
  await askAdmin(api, 'POST', 'destinations', {
    tenantId: DEMO_TENANT,
    url: `${url}${REFUSING_RECEIVER}`,
    eventTypes: ['invoice.*'],
    description: 'seed: refuses every event',
  });
}
