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

const RECEIVER = 'accounting';
const WORKING_URL = `demo://${RECEIVER}`;
/** As if the receiver were not deployed yet: it responds to everything with 404. */
const MISSING_URL = `${WORKING_URL}?status=404`;

/** Registers a receiver of invoices that responds with 404, unless an earlier run has registered it. Returns its id. */
export async function registerMissingReceiver(api: AdminApi): Promise<string> {
  const { destinations } = await askAdmin<{ destinations: { id: string; uid: string | null }[] }>(
    api,
    'GET',
    `destinations?tenantId=${DEMO_TENANT}`,
  );
  const known = destinations.find(({ uid }) => uid === RECEIVER);
  if (known) return known.id;
  const { id } = await askAdmin<{ id: string }>(api, 'POST', 'destinations', {
    tenantId: DEMO_TENANT,
    url: MISSING_URL,
    uid: RECEIVER,
    eventTypes: ['invoice.*'],
    description: 'seed: takes invoices',
  });
  return id;
}

/** From now on the receiver takes what it gets. What it has refused stays in the DLQ until somebody retries it. */
export async function mendReceiver(api: AdminApi, id: string): Promise<void> {
  const { url } = await askAdmin<{ url: string }>(api, 'GET', `destinations/${id}`);
  if (url === MISSING_URL) await askAdmin(api, 'PATCH', `destinations/${id}`, { url: WORKING_URL });
}
