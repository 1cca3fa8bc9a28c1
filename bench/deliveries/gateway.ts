import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ADMIN_TOKEN } from '#bench/streamforge';
import { Connection, request } from '#bench/client';
import { NDJSON } from '#bench/events';
import { startServer, type ServerProcess } from '#bench/processes';
import type { ReceiverReport } from '#bench/receiver';

const RECEIVER = fileURLToPath(new URL('../receiver.ts', import.meta.url));
const PATIENCE_MS = 60_000;
const POLL_MS = 100;

/** Settings of every gateway that delivers to the receiver of the bench. The key lets copies of a database share secrets. */
export const DELIVERY_SETTINGS = {
  DESTINATIONS_ALLOW_PRIVATE: 'true',
  DESTINATIONS_SECRET_KEY: Buffer.alloc(32, 'bench').toString('base64'),
};

/** The receiver is a process of its own. */
export function startReceiver(): Promise<ServerProcess> {
  return startServer([RECEIVER], {});
}

export interface NewDestination {
  tenantId: string;
  url: string;
  eventTypes?: string[];
  maxInFlight?: number;
  ordering?: 'none' | 'key';
}

/** Registers a destination. Returns its id. */
export async function register(gateway: ServerProcess, destination: NewDestination): Promise<string> {
  const created = await administer(gateway, 'POST /v1/admin/destinations', 201, destination);
  return (JSON.parse(created) as { id: string }).id;
}

export function administer(gateway: ServerProcess, target: string, wanted: number, body: object = {}): Promise<string> {
  const headers = { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' };
  return exchange(gateway, request(target, headers, JSON.stringify(body)), wanted);
}

export async function sendStream(gateway: ServerProcess, tenant: string, body: string): Promise<void> {
  const headers = { 'X-Tenant-Id': tenant, 'Content-Type': NDJSON };
  await exchange(gateway, request('POST /v1/ingest/stream', headers, body), 202);
}

/** Sends one stream after the other at equal intervals, without waiting for responses. */
export async function sendEvery(
  intervalMs: number,
  streams: number,
  send: (n: number) => Promise<void>,
): Promise<void> {
  const startedMs = performance.now();
  const sent: Promise<void>[] = [];
  for (let n = 0; n < streams; n++) {
    await sleep(Math.max(0, startedMs + n * intervalMs - performance.now()));
    sent.push(send(n));
  }
  await Promise.all(sent);
}

/** Waits until the receiver has received so many events on a path and the paths below it. */
export async function allReceived(receiver: ServerProcess, path: string, events: number): Promise<ReceiverReport> {
  for (const deadlineMs = Date.now() + PATIENCE_MS; ; await sleep(POLL_MS)) {
    const report = JSON.parse(await exchange(receiver, request(`GET /report${path}`, {}), 200)) as ReceiverReport;
    if (report.distinct >= events) return report;
    if (Date.now() > deadlineMs) throw new Error(`${report.distinct} of ${events} events were delivered to ${path}`);
  }
}

export async function forgetReceived(receiver: ServerProcess, path: string): Promise<void> {
  await exchange(receiver, request(`DELETE /report${path}`, {}), 204);
}

async function exchange(server: ServerProcess, text: string, wanted: number): Promise<string> {
  const connection = new Connection(server.url);
  try {
    const { status, body } = await connection.send(text);
    if (status !== wanted) throw new Error(`Expected ${wanted}, not ${status}: ${body.toString()}`);
    return body.toString();
  } finally {
    connection.close();
  }
}
