import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startAllInOne } from '#bench/streamforge';
import { Connection, request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { eventJson, NDJSON, ndjsonBody } from '#bench/events';
import type { BenchRabbit } from '#bench/rabbit';

/** Makes the usage meter throw for events of the type test.failing. */
const MISBEHAVING = fileURLToPath(new URL('../test/support/processes/misbehaving-handler.js', import.meta.url));
const QUIET_EVENTS = 200;
const EVERY_MS = 25;
const LONGEST_MS = 60_000;

export interface FairnessResult {
  failing: number;
  quietMs: { p50: number; p99: number };
  besideFailingMs: { p50: number; p99: number };
  sameLoadGoodMs: { p50: number; p99: number };
}

/**
 * Measures the time from accept to COMPLETED for a tenant that sends an event every 25 ms: alone, while `failing` events of
 * another tenant, sent as one stream, all fail in their handler, and while as many events of that tenant succeed.
 */
export async function measureFairness(
  postgres: BenchServer,
  rabbit: BenchRabbit,
  failing = 50_000,
): Promise<FairnessResult> {
  const databaseUrl = await postgres.createDatabase('fairness');
  await rabbit.empty();
  const server = await startAllInOne({
    DATABASE_URL: databaseUrl,
    RABBITMQ_URL: rabbit.url,
    NODE_OPTIONS: `--require ${MISBEHAVING}`,
    RETRY_BACKOFF_MS: '600000',
  });
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const run = { url: server.url, client };
    await quietTenant(run, 'warm', QUIET_EVENTS);
    await loadAndQuiet(run, 'warm-load', 'order.paid', failing / 10);
    const quietMs = await quietTenant(run, 'alone', QUIET_EVENTS);
    const sameLoadGoodMs = await loadAndQuiet(run, 'good', 'order.paid', failing);
    const besideFailingMs = await loadAndQuiet(run, 'bad', 'test.failing', failing);
    return { failing, quietMs, besideFailingMs, sameLoadGoodMs };
  } finally {
    await client.end();
    await server.stop();
  }
}

/** The bound in docs/worker.md for 50,000 failing events that are sent at once, on 2 cores. */
const FAILING_BOUND_MS = 30_000;

export function fairnessReport({ failing, quietMs, besideFailingMs, sameLoadGoodMs }: FairnessResult): string {
  const line = (what: string, { p50, p99 }: { p50: number; p99: number }): string =>
    `${what}: accept to COMPLETED p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms\n`;
  return (
    line('a quiet tenant alone', quietMs) +
    line(`beside ${failing} successful events of another tenant`, sameLoadGoodMs) +
    line(`beside ${failing} failing events of another tenant (p99 wanted <= ${FAILING_BOUND_MS})`, besideFailingMs)
  );
}

interface Run {
  url: string;
  client: Client;
}

/** The quiet tenant starts before the load and stops when every event of the load was examined once. */
async function loadAndQuiet(
  run: Run,
  name: string,
  type: string,
  count: number,
): Promise<{ p50: number; p99: number }> {
  const connection = new Connection(run.url);
  const body = ndjsonBody({ type, run: name }, 0, count);
  const load = connection.send(
    request('POST /v1/ingest/stream', { 'X-Tenant-Id': `load-${name}`, 'Content-Type': NDJSON }, body),
  );
  const result = quietTenant(run, name, LONGEST_MS / EVERY_MS, () => isWorkedOff(run.client, `load-${name}`, count));
  await load;
  connection.close();
  return result;
}

/** Whether each event was completed, failed or was postponed at least once. */
async function isWorkedOff(client: Client, tenant: string, count: number): Promise<boolean> {
  const { rows } = await client.query<{ n: string }>(
    `select count(*) as n from events e where tenant_id = $1
        and (exists (select from processing_attempts a where a.event_id = e.id)
             or exists (select from event_state s where s.event_id = e.id))`,
    [tenant],
  );
  return Number(rows[0]?.n) >= count;
}

async function quietTenant(
  { url, client }: Run,
  name: string,
  most: number,
  isOver?: () => Promise<boolean>,
): Promise<{ p50: number; p99: number }> {
  const tenant = `quiet-${name}`;
  const connection = new Connection(url);
  let over = false;
  for (let n = 0; n < most && !over; n++) {
    const headers = { 'X-Tenant-Id': tenant, 'Content-Type': 'application/json' };
    await connection.send(request('POST /v1/events', headers, eventJson({ type: 'order.paid', run: tenant }, n)));
    await sleep(EVERY_MS);
    if (isOver && n % 40 === 39) over = await isOver();
  }
  connection.close();
  const text = `
    select count(*) as sent, count(a.event_id) as completed,
           percentile_disc(0.5) within group (order by extract(epoch from a.created_at - e.received_at) * 1000) as p50,
           percentile_disc(0.99) within group (order by extract(epoch from a.created_at - e.received_at) * 1000) as p99
      from events e left join processing_attempts a on a.event_id = e.id and a.status = 'SUCCESS' where e.tenant_id = $1`;
  for (const deadlineMs = Date.now() + LONGEST_MS; ; await sleep(100)) {
    const { rows } = await client.query<{ sent: string; completed: string; p50: string; p99: string }>(text, [tenant]);
    const [row] = rows;
    if (row && row.sent === row.completed) return { p50: Number(row.p50), p99: Number(row.p99) };
    if (Date.now() > deadlineMs)
      throw new Error(`${row?.completed} of ${row?.sent} events of the quiet tenant completed`);
  }
}
