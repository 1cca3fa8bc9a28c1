import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ADMIN_TOKEN, startAllInOne } from '#bench/streamforge';
import { Connection, request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { NDJSON, ndjsonBody } from '#bench/events';
import { cpuMicroseconds, startServer, type ServerProcess } from '#bench/processes';
import type { ReceiverReport } from '#bench/receiver';
import { shown } from '#bench/statistics';

const RECEIVER = fileURLToPath(new URL('receiver.ts', import.meta.url));
const TENANTS = 8;
const BURST_EVENTS = 20_000;
const STEADY_EVENTS = 20_000;
const STEADY_PER_SECOND = 500;
const STEADY_LINES = 25;
const PATIENCE_MS = 60_000;

interface Steady {
  p50Ms: number;
  p99Ms: number;
  requests: number;
  distinct: number;
}

interface Burst {
  perSecond: number;
  /** CPU time of gateway and receiver per event; undefined without /proc. */
  cpuUs: number | undefined;
}

export interface DestinationsResult {
  /** For each burst, from the first byte of the first stream to the last delivery: with many tenants, and with one. */
  bursts: { many: Burst; one: Burst }[];
  steady: { alone: Steady; besideDead: Steady } | undefined;
}

interface Bench {
  gateway: ServerProcess;
  receiver: ServerProcess;
}

/** An all-in-one process and a receiver in a process of its own, with a destination for every tenant. */
export async function measureDestinations(
  postgres: BenchServer,
  groups: { bursts: number; steady: boolean },
  progress: (text: string) => void,
): Promise<DestinationsResult> {
  const receiver = await startServer([RECEIVER], {});
  const gateway = await startAllInOne({
    DATABASE_URL: await postgres.createDatabase('destinations'),
    DESTINATIONS_ALLOW_PRIVATE: 'true',
  });
  const bench = { gateway, receiver };
  try {
    const bursts: DestinationsResult['bursts'] = [];
    await burst(bench, 'warm-up', TENANTS, BURST_EVENTS / 4);
    for (let n = 1; n <= groups.bursts; n++) {
      progress(`destinations: burst ${n} of ${groups.bursts}`);
      const many = await burst(bench, `many-${n}`, TENANTS, BURST_EVENTS);
      bursts.push({ many, one: await burst(bench, `one-${n}`, 1, BURST_EVENTS) });
    }
    return { bursts, steady: groups.steady ? await isolation(bench, progress) : undefined };
  } finally {
    await gateway.stop();
    await receiver.stop();
  }
}

async function isolation(bench: Bench, progress: (text: string) => void): Promise<DestinationsResult['steady']> {
  progress('destinations: steady, alone');
  const alone = await steady(bench, 'alone', []);
  progress('destinations: steady, beside a dead one');
  return { alone, besideDead: await steady(bench, 'beside', ['dead']) };
}

export function destinationsReport({ bursts, steady }: DestinationsResult): string {
  const line = (of: string, measured: readonly Burst[]): string =>
    `destinations, ${BURST_EVENTS} events of ${of}: accepted and delivered ${shown(
      measured.map(({ perSecond }) => perSecond),
      0,
    )} events/s, CPU of gateway and receiver ${shown(
      measured.map(({ cpuUs = Number.NaN }) => cpuUs),
      0,
    )} µs/event\n`;
  const burstText =
    line(
      `${TENANTS} tenants`,
      bursts.map(({ many }) => many),
    ) +
    line(
      'one tenant',
      bursts.map(({ one }) => one),
    );
  return (bursts.length > 0 ? burstText : '') + (steady ? steadyReport(steady) : '');
}

function steadyReport({ alone, besideDead }: NonNullable<DestinationsResult['steady']>): string {
  const text = ({ p50Ms, p99Ms, requests, distinct }: Steady): string =>
    `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, ${requests} requests for ${distinct} events`;
  return (
    `destinations, ${STEADY_EVENTS} events at ${STEADY_PER_SECOND}/s, accept to delivery: ${text(alone)}\n` +
    `  beside as many of another tenant, whose destination never responds: ${text(besideDead)}` +
    ` (p99 ${(besideDead.p99Ms / alone.p99Ms).toFixed(2)} times)\n`
  );
}

/** Events per second from the first byte sent to the last event delivered. */
async function burst(bench: Bench, run: string, tenants: number, events: number): Promise<Burst> {
  const each = events / tenants;
  const names = Array.from({ length: tenants }, (_, i) => `${run}-${i}`);
  for (const name of names) await register(bench, name, `/quick/${name}`);
  const cpuBeforeUs = cpuOf(bench);
  const startedMs = Date.now();
  await Promise.all(
    names.map((name) => sendStream(bench, name, ndjsonBody({ type: 'order.paid', run: name }, 0, each))),
  );
  const reports = await Promise.all(names.map((name) => allDelivered(bench, name, each)));
  const seconds = (Math.max(...reports.map(({ lastMs }) => lastMs)) - startedMs) / 1000;
  const cpuUs = (cpuOf(bench) - cpuBeforeUs) / events;
  return { perSecond: events / seconds, cpuUs: Number.isNaN(cpuUs) ? undefined : cpuUs };
}

function cpuOf({ gateway, receiver }: Bench): number {
  return [gateway, receiver].reduce((sum, { child }) => sum + (cpuMicroseconds(child.pid) ?? Number.NaN), 0);
}

/** Sends the same load for a healthy tenant and for each of the dead ones. */
async function steady(bench: Bench, healthy: string, dead: string[]): Promise<Steady> {
  await register(bench, healthy, `/quick/${healthy}`);
  for (const name of dead) await register(bench, name, `/dead/${name}`);
  await Promise.all([healthy, ...dead].map((name) => sendSteadily(bench, name)));
  const { p50Ms, p99Ms, requests, distinct } = await allDelivered(bench, healthy, STEADY_EVENTS);
  return { p50Ms, p99Ms, requests, distinct };
}

async function sendSteadily(bench: Bench, tenant: string): Promise<void> {
  const startedMs = performance.now();
  const sent: Promise<void>[] = [];
  for (let n = 0; n < STEADY_EVENTS; n += STEADY_LINES) {
    await sleep(Math.max(0, startedMs + (n / STEADY_PER_SECOND) * 1000 - performance.now()));
    sent.push(sendStream(bench, tenant, ndjsonBody({ type: 'order.paid', run: tenant }, n, STEADY_LINES)));
  }
  await Promise.all(sent);
}

async function sendStream({ gateway }: Bench, tenant: string, body: string): Promise<void> {
  await exchange(
    gateway,
    request('POST /v1/ingest/stream', { 'X-Tenant-Id': tenant, 'Content-Type': NDJSON }, body),
    202,
  );
}

async function register({ gateway, receiver }: Bench, tenantId: string, path: string): Promise<void> {
  const headers = { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ tenantId, url: `${receiver.url}${path}`, maxInFlight: 16 });
  await exchange(gateway, request('POST /v1/admin/destinations', headers, body), 201);
}

async function allDelivered({ receiver }: Bench, name: string, events: number): Promise<ReceiverReport> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const report = JSON.parse(
      await exchange(receiver, request(`GET /report/quick/${name}`, {}), 200),
    ) as ReceiverReport;
    if (report.distinct >= events) return report;
    if (Date.now() > deadlineMs) throw new Error(`${report.distinct} of ${events} events of ${name} were delivered`);
    await sleep(100);
  }
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
