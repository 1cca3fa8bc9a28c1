import type { Answer } from '#bench/answer-parser';
import { request, type Connection } from '#bench/client';

/** @throws Error if the response is not the expected one. */
export function parsed<T>({ status, body }: Answer, expected: number): T {
  if (status !== expected) throw new Error(`Received ${status}: ${body.toString()}`);
  return JSON.parse(body.toString()) as T;
}

/** The status of an event: RECEIVED, PUBLISHED, COMPLETED, … */
export async function eventStatus(connection: Connection, tenant: string, id: string): Promise<string> {
  const answer = await connection.send(request(`GET /v1/events/${id}`, { 'X-Tenant-Id': tenant }));
  return parsed<{ status: string }>(answer, 200).status;
}

/** The number of processed events of a tenant and type, according to the usage meter. */
export async function completedEvents(
  connection: Connection,
  tenant: string,
  type: string,
  adminToken: string,
): Promise<number> {
  const target = `GET /v1/admin/usage?tenantId=${encodeURIComponent(tenant)}`;
  const answer = await connection.send(request(target, { 'X-Admin-Token': adminToken }));
  const { usage } = parsed<{ usage: { type: string; processed: number }[] }>(answer, 200);
  return usage.filter((row) => row.type === type).reduce((sum, row) => sum + row.processed, 0);
}
