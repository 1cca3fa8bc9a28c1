import { DEMO_TENANT, type DemoEvent } from './demo-events';

export interface UploadSummary {
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
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

/** The name can never exist (RFC 2606), so every delivery fails. */
const NOWHERE = 'https://receiver.invalid/invoices';

/**
 * Registers an unreachable destination for the failing events. Returns false without an admin token, or if StreamForge
 * refuses the destination.
 */
export async function registerFailingDestination(url: string, adminToken: string | undefined): Promise<boolean> {
  if (!adminToken) return false;
  const headers = { 'Content-Type': 'application/json', 'X-Admin-Token': adminToken };
  const known = await fetch(`${url}/v1/admin/destinations?tenantId=${DEMO_TENANT}`, { headers });
  if (!known.ok) return false;
  if ((await known.text()).includes(NOWHERE)) return true;
  const made = await fetch(`${url}/v1/admin/destinations`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      tenantId: DEMO_TENANT,
      url: NOWHERE,
      eventTypes: ['invoice.*'],
      enabled: true,
      description: 'seed: always fails',
    }),
  });
  return made.ok;
}
