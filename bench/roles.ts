import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Backlog, until } from '#bench/backlog';
import { Connection, request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { NDJSON, ndjsonBody } from '#bench/events';
import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { parsed } from '#bench/reading';
import { startRole } from '#bench/streamforge';

const ROLES = ['api', 'publisher', 'worker'] as const;
const IDLE_FOR_MS = 5_000;
const STREAMS = 5;
const EVENTS = 50_000;

export interface RoleResult {
  role: string;
  /** From the start of the process to the first 200 of /ready. */
  startMs: number;
  idleMb: number;
  /** Peak memory while 250,000 events were processed, and CPU time per event. */
  loadedMb: number;
  cpuUs: number;
}

export interface RolesResult {
  roles: RoleResult[];
  perSecond: number;
  /** WAL of PostgreSQL per event. */
  logBytes: number;
}

/** Measures one process of each role on PostgreSQL and RabbitMQ: start time, memory and CPU. */
export async function measureRoles(postgres: BenchServer, rabbit: BenchRabbit): Promise<RolesResult> {
  await rabbit.empty();
  const databaseUrl = await postgres.createDatabase('roles');
  const env = { DATABASE_URL: databaseUrl, RABBITMQ_URL: rabbit.url };
  const started: { role: string; startMs: number; server: ServerProcess }[] = [];
  const backlog = await new Backlog(databaseUrl).open();
  try {
    for (const role of ROLES) {
      const startedMs = performance.now();
      const server = await startRole(role, env);
      while (!(await isReady(server.url))) await sleep(10);
      started.push({ role, startMs: performance.now() - startedMs, server });
    }
    await sleep(IDLE_FOR_MS);
    const idle = started.map(({ server }) => ({ mb: memoryMb(server, 'VmRSS'), cpuUs: cpuOf(server) }));
    const logBefore = await backlog.logBytes();
    const perSecond = await load(started[0]?.server.url ?? '', backlog);
    const roles = started.map(({ role, startMs, server }, i) => ({
      role,
      startMs,
      idleMb: idle[i]?.mb ?? Number.NaN,
      loadedMb: memoryMb(server, 'VmHWM'),
      cpuUs: (cpuOf(server) - (idle[i]?.cpuUs ?? Number.NaN)) / (STREAMS * EVENTS),
    }));
    return { roles, perSecond, logBytes: ((await backlog.logBytes()) - logBefore) / (STREAMS * EVENTS) };
  } finally {
    await backlog.close();
    for (const { server } of started) await server.stop();
  }
}

/** Sends streams one after the other, faster than they complete. Returns events per second from POST to COMPLETED. */
async function load(url: string, backlog: Backlog): Promise<number> {
  const connection = new Connection(url);
  const startedMs = performance.now();
  for (let stream = 0; stream < STREAMS; stream++) {
    const run = { type: 'order.paid', run: `roles-${stream}` };
    const headers = { 'X-Tenant-Id': 'roles', 'Content-Type': NDJSON };
    parsed(await connection.send(request('POST /v1/ingest/stream', headers, ndjsonBody(run, 0, EVENTS))), 202);
  }
  connection.close();
  await until(async () => (await backlog.counted()) >= STREAMS * EVENTS);
  return (STREAMS * EVENTS * 1000) / (performance.now() - startedMs);
}

async function isReady(url: string): Promise<boolean> {
  const { status } = await fetch(`${url}/ready`);
  return status === 200;
}

const cpuOf = ({ child }: ServerProcess): number => cpuMicroseconds(child.pid) ?? Number.NaN;

/** NaN without /proc. */
function memoryMb({ child }: ServerProcess, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

export function rolesReport({ roles, perSecond, logBytes }: RolesResult): string {
  const lines = roles.map(
    ({ role, startMs, idleMb, loadedMb, cpuUs }) =>
      `${role}: ready ${startMs.toFixed(0)} ms after its start, ${idleMb.toFixed(0)} MB idle, ` +
      `${loadedMb.toFixed(0)} MB at most under load, ${cpuUs.toFixed(1)} µs of CPU per event\n`,
  );
  return (
    `${lines.join('')}streams from POST to COMPLETED, one process of each role: ${perSecond.toFixed(0)} events/s (wanted >= 6,000), ` +
    `${logBytes.toFixed(0)} bytes of WAL per event\n`
  );
}
