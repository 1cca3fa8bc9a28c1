import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { Connection, request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { boundLine } from '#bench/deliveries/bounds';
import { DELIVERY_SETTINGS, register, sendStream, startReceiver } from '#bench/deliveries/gateway';
import { eventJson, ndjsonBody } from '#bench/events';
import type { ServerProcess } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { ADMIN_TOKEN, startRole } from '#bench/streamforge';

/** Makes the usage meter throw for events of the type test.failing. */
const MISBEHAVING = fileURLToPath(new URL('../test/support/processes/misbehaving-handler.js', import.meta.url));
const EVERY_MS = 20;
const ALONE_EVENTS = 300;
const STREAM_EVENTS = 50_000;
const PATIENCE_MS = 900_000;
/** The quiet tenant goes on for so long after the last event of the load was accepted, or until the load is worked off. */
const MOST_AFTER_MS = 60_000;

interface Latency {
  p50Ms: number;
  p99Ms: number;
  events: number;
}

interface Load {
  kind: 'good' | 'failing' | 'slow';
  events: number;
  boundMs: number;
}

export interface FairnessResult {
  alone: Latency;
  beside: { load: Load; latency: Latency; perSecond: number; left: number }[];
}

const loadsOf = (goodEvents: number): readonly Load[] => [
  { kind: 'good', events: goodEvents, boundMs: 500 },
  { kind: 'failing', events: 50_000, boundMs: 500 },
  { kind: 'slow', events: 50_000, boundMs: 1_000 },
];

interface Run {
  api: ServerProcess;
  receiver: ServerProcess;
  client: Client;
}

/**
 * Measures the time from acceptance to COMPLETED for a tenant that sends 50 events a second to one process of each role:
 * alone, beside `goodEvents` good events of another tenant, beside 50,000 that fail in their handler, and beside 50,000 for
 * a receiver that answers after a second.
 */
export async function measureFairness(
  postgres: BenchServer,
  rabbit: BenchRabbit,
  goodEvents: number,
  progress: (text: string) => void,
): Promise<FairnessResult> {
  const databaseUrl = await postgres.createDatabase('fairness');
  await rabbit.empty();
  const env = {
    DATABASE_URL: databaseUrl,
    RABBITMQ_URL: rabbit.url,
    ADMIN_TOKEN,
    RETRY_BACKOFF_MS: '600000',
    ...DELIVERY_SETTINGS,
  };
  const roles = await Promise.all([
    startRole('api', env),
    startRole('publisher', env),
    startRole('worker', { ...env, NODE_OPTIONS: `--require ${MISBEHAVING}` }),
  ]);
  const receiver = await startReceiver();
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const [api] = roles;
    const run = { api, receiver, client };
    await quietTenant(run, 'quiet-warm-up', ALONE_EVENTS);
    const alone = await quietTenant(run, 'quiet-alone', ALONE_EVENTS);
    const beside: FairnessResult['beside'] = [];
    for (const load of loadsOf(goodEvents)) {
      progress(`a quiet tenant beside ${load.events} ${load.kind} events`);
      beside.push({ load, ...(await besideLoad(run, load)) });
    }
    return { alone, beside };
  } finally {
    await client.end();
    for (const role of roles) await role.stop();
    await receiver.stop();
  }
}

export function fairnessReport({ alone, beside }: FairnessResult): string {
  const lines = beside.map(({ load: { kind, events, boundMs }, latency, perSecond, left }) => {
    const what = `a quiet tenant beside ${events} ${kind} events of another: p99 ms from acceptance to COMPLETED`;
    const rest = `  p50 ${latency.p50Ms.toFixed(0)} ms, ${latency.events} events; of the load ${perSecond.toFixed(0)} events/s, ${left} left\n`;
    return boundLine({ what, values: [latency.p99Ms], most: boundMs, digits: 0 }) + rest;
  });
  return `a quiet tenant alone: p50 ${alone.p50Ms.toFixed(0)} ms, p99 ${alone.p99Ms.toFixed(0)} ms\n${lines.join('')}`;
}

async function besideLoad(
  run: Run,
  { kind, events }: Load,
): Promise<{ latency: Latency; perSecond: number; left: number }> {
  const [tenantId, quiet] = [`load-${kind}`, `quiet-${kind}`];
  if (kind === 'slow') {
    await register(run.api, { tenantId, url: `${run.receiver.url}/slow/${tenantId}` });
    await register(run.api, { tenantId: quiet, url: `${run.receiver.url}/quick/${quiet}` });
  }
  const startedMs = performance.now();
  const sending = sendLoad(run.api, tenantId, kind, events).then(() => performance.now());
  let [sentMs, doneMs, left] = [Infinity, Infinity, events];
  sending.then(
    (ms) => (sentMs = ms),
    () => (sentMs = 0), // `await sending` throws
  );
  const latency = await quietTenant(run, quiet, Infinity, async () => {
    const nowMs = performance.now();
    if (sentMs === Infinity) return false;
    left = events - (await countWorkedOff(run.client, tenantId, kind));
    doneMs = performance.now();
    return left <= 0 || nowMs - sentMs > MOST_AFTER_MS;
  });
  await sending;
  return { latency, perSecond: ((events - left) * 1_000) / (doneMs - startedMs), left };
}

async function sendLoad(api: ServerProcess, tenantId: string, kind: Load['kind'], events: number): Promise<void> {
  const source = { type: kind === 'failing' ? 'test.failing' : 'order.paid', run: tenantId };
  for (let from = 0; from < events; from += STREAM_EVENTS)
    await sendStream(api, tenantId, ndjsonBody(source, from, Math.min(STREAM_EVENTS, events - from)));
}

/** Counts the events whose handlers have run, or were postponed, at least once. */
async function countWorkedOff(client: Client, tenantId: string, kind: Load['kind']): Promise<number> {
  const text =
    kind === 'failing'
      ? `select count(*)::integer as n from event_state where event_id in (select id from events where tenant_id = $1)`
      : `select coalesce(sum(events), 0)::integer as n from usage_daily where tenant_id = $1`;
  const { rows } = await client.query<{ n: number }>(text, [tenantId]);
  return (rows[0] as { n: number }).n;
}

/** Sends an event every 20 ms, `most` of them or until `isOver`, which is asked every two seconds. */
async function quietTenant(
  { api, client }: Run,
  tenantId: string,
  most: number,
  isOver?: () => Promise<boolean>,
): Promise<Latency> {
  const connection = new Connection(api.url);
  const headers = { 'X-Tenant-Id': tenantId, 'Content-Type': 'application/json' };
  const startedMs = performance.now();
  let over = false;
  let asking: Promise<unknown> | undefined;
  let failed: unknown;
  let sent = 0;
  for (; sent < most && !over && failed === undefined; sent++) {
    await sleep(Math.max(0, startedMs + sent * EVERY_MS - performance.now()));
    await connection.send(request('POST /v1/events', headers, eventJson({ type: 'order.paid', run: tenantId }, sent)));
    if (isOver && sent % 100 === 99 && !asking) {
      asking = isOver()
        .then(
          (is) => void (over = is),
          (error: unknown) => (failed = error),
        )
        .finally(() => (asking = undefined));
    }
    if (performance.now() - startedMs > PATIENCE_MS)
      throw new Error(`the load is not worked off after ${PATIENCE_MS} ms`);
  }
  connection.close();
  await asking;
  if (failed !== undefined) throw failed as Error;
  return latencyOf(client, tenantId, sent);
}

async function latencyOf(client: Client, tenantId: string, sent: number): Promise<Latency> {
  const took = 'extract(epoch from completed_at - received_at)::double precision * 1000';
  const text = `
    select count(*)::integer as events, percentile_disc(0.5) within group (order by ${took}) as "p50Ms",
           percentile_disc(0.99) within group (order by ${took}) as "p99Ms"
      from reporting.events where tenant_id = $1 and completed_at is not null`;
  for (const deadlineMs = Date.now() + MOST_AFTER_MS; ; await sleep(500)) {
    const { rows } = await client.query<Latency>(text, [tenantId]);
    const latency = rows[0] as Latency;
    if (latency.events === sent) return latency;
    if (Date.now() > deadlineMs) throw new Error(`${latency.events} of ${sent} events of ${tenantId} completed`);
  }
}
