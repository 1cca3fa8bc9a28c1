import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { ADMIN_TOKEN } from '#bench/streamforge';
import { Connection, request } from '#bench/client';
import { eventJson, NDJSON, ndjsonBody } from '#bench/events';
import { completedEvents, eventStatus, parsed } from '#bench/reading';
import { quantile, shown } from '#bench/statistics';

const LATENCIES = 100;
const DRAINS = 3;
const DRAIN_EVENTS = 20_000;
const TENANT_ID = 'idle';

export interface IdleResult {
  completedMs: { p50: number; p95: number };
  drains: Drain[];
}

export interface Drain {
  storedPerSecond: number;
  completedPerSecond: number;
}

/** Measures an idle all-in-one process: the time of an event to COMPLETED, and how fast a backlog drains. */
export async function measureIdle(url: string): Promise<IdleResult> {
  const connection = new Connection(url);
  try {
    const asking = (id: string) => askedIfCompleted(connection, id);
    await latencies(connection, 'warm', 30, asking);
    const sorted = (await latencies(connection, 'idle', LATENCIES, asking)).sort((a, b) => a - b);
    await drain(connection, 'drain-warm', DRAIN_EVENTS / 4);
    const drains = [];
    for (let i = 0; i < DRAINS; i++) drains.push(await drain(connection, `drain-${i}`, DRAIN_EVENTS));
    return { completedMs: { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) }, drains };
  } finally {
    connection.close();
  }
}

export interface Latencies {
  p50: number;
  p99: number;
}

/** Times in ms, as two observers see them. */
export interface Observed {
  /** Watches the database over its own connection, which costs almost nothing. */
  watched: Latencies;
  /** A client that polls with GET. On two cores, the polling slows the event down. */
  asked: Latencies;
}

/** From sending an event until it is seen as COMPLETED, one event at a time. */
export async function measureLatencies(url: string, databaseUrl: string, count: number): Promise<Observed> {
  const connection = new Connection(url);
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const watching = (id: string) => hasSucceeded(database, id);
    const asking = (id: string) => askedIfCompleted(connection, id);
    await latencies(connection, 'warm', 50, asking);
    return {
      watched: summary(await latencies(connection, 'watched', count, watching)),
      asked: summary(await latencies(connection, 'asked', count, asking)),
    };
  } finally {
    await database.end();
    connection.close();
  }
}

function summary(milliseconds: number[]): Latencies {
  const sorted = milliseconds.sort((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

export function idleReport({ completedMs, drains }: IdleResult): string {
  const stored = shown(
    drains.map((drain) => drain.storedPerSecond),
    0,
  );
  const completed = shown(
    drains.map((drain) => drain.completedPerSecond),
    0,
  );
  return (
    `all-in-one, idle: accept to COMPLETED p50 ${completedMs.p50.toFixed(1)} ms, p95 ${completedMs.p95.toFixed(1)} ms\n` +
    `all-in-one, one stream of ${DRAIN_EVENTS} events: stored ${stored} events/s, to COMPLETED ${completed} events/s\n`
  );
}

async function askedIfCompleted(connection: Connection, id: string): Promise<boolean> {
  return (await eventStatus(connection, TENANT_ID, id)) === 'COMPLETED';
}

/** Whether the row that makes the event COMPLETED has been committed. */
async function hasSucceeded(database: Client, id: string): Promise<boolean> {
  const text = `select from processing_attempts where event_id = $1 and status = 'SUCCESS'`;
  return (await database.query({ name: 'has-succeeded', text, values: [id] })).rowCount === 1;
}

async function latencies(
  connection: Connection,
  run: string,
  count: number,
  isCompleted: (id: string) => Promise<boolean>,
): Promise<number[]> {
  const measured: number[] = [];
  for (let n = 0; n < count; n++) {
    await sleep(20);
    const startedMs = performance.now();
    const headers = { 'X-Tenant-Id': TENANT_ID, 'Content-Type': 'application/json' };
    const body = eventJson({ type: 'order.paid', run }, n);
    const { id } = parsed<{ id: string }>(await connection.send(request('POST /v1/events', headers, body)), 202);
    while (!(await isCompleted(id))) await sleep(1);
    measured.push(performance.now() - startedMs);
  }
  return measured;
}

/** Sends one stream of events. Measures how fast it is stored, and how fast all events are COMPLETED. */
export async function drain(connection: Connection, type: string, count: number): Promise<Drain> {
  const body = ndjsonBody({ type, run: type }, 0, count);
  const headers = { 'X-Tenant-Id': TENANT_ID, 'Content-Type': NDJSON };
  const startedMs = performance.now();
  parsed(await connection.send(request('POST /v1/ingest/stream', headers, body)), 202);
  const storedMs = performance.now() - startedMs;
  while ((await completedEvents(connection, TENANT_ID, type, ADMIN_TOKEN)) < count) await sleep(20);
  const completedMs = performance.now() - startedMs;
  return { storedPerSecond: (count / storedMs) * 1000, completedPerSecond: (count / completedMs) * 1000 };
}
