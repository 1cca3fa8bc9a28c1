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

/** Sends the events as one NDJSON stream, as a producer would. */
export async function sendEvents(url: string, events: readonly DemoEvent[]): Promise<UploadSummary> {
  const answer = await fetch(`${url}/v1/ingest/stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', 'X-Tenant-Id': DEMO_TENANT },
    body: events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    signal: AbortSignal.timeout(UPLOAD_WITHIN_MS),
  });
  const body = (await answer.json()) as { summary?: UploadSummary; detail?: string };
  if (!body.summary) throw new Error(`The api responded with ${answer.status}: ${body.detail ?? 'no summary'}`);
  return body.summary;
}

/** A path that StreamForge does not have: it answers every delivery with 404. */
const REFUSING_RECEIVER = '/no-such-receiver';

/** Registers StreamForge at `url` itself as the receiver of the failing events, unless an earlier run has done so. */
export async function registerFailingReceiver(api: AdminApi, url: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json', 'X-Admin-Token': api.adminToken };
  const known = await fetch(`${api.url}/v1/admin/destinations?tenantId=${DEMO_TENANT}`, { headers });
  if ((await known.text()).includes(REFUSING_RECEIVER)) return;
  const made = await fetch(`${api.url}/v1/admin/destinations`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      tenantId: DEMO_TENANT,
      url: `${url}${REFUSING_RECEIVER}`,
      eventTypes: ['invoice.*'],
      description: 'seed: refuses every event',
    }),
  });
  if (!made.ok) throw new Error(`The api responded with ${made.status}: ${await made.text()}`);
}
