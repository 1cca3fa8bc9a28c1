import { ADMIN_TOKEN } from '../app';
import { call, type Answer } from '../e2e-http';

/** What a destination has that asks for nothing special. */
export const PLAIN_DESTINATION = {
  uid: null,
  pausedAt: null,
  filter: null,
  transform: null,
  format: 'event',
  headers: null,
  auth: null,
  retrySchedule: null,
  ratePerSecond: null,
  ordering: 'none',
  onPoison: 'block',
  latestOnly: false,
  minSeverity: null,
  quietHours: null,
} as const;

export interface DestinationResponse {
  id: string;
  tenantId: string;
  url: string;
  eventTypes: string[];
  enabled: boolean;
  disabledReason: string | null;
  timeoutMs: number;
  maxInFlight: number;
  previousSecretUntil: string | null;
  secret?: string;
}

/** Sends a request to /v1/admin/destinations with the admin token. */
export function admin<T = DestinationResponse>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer<T>> {
  return call<T>(`${url}/v1/admin/destinations${path}`, {
    method,
    headers: { 'x-admin-token': ADMIN_TOKEN, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export async function givenDestination(
  url: string,
  request: { tenantId: string; url: string } & Record<string, unknown>,
): Promise<DestinationResponse & { secret: string }> {
  const { status, body, text } = await admin<DestinationResponse & { secret: string }>(url, 'POST', '', request);
  if (status !== 201) throw new Error(`not registered: ${status} ${text}`);
  return body;
}
