import { Client } from 'pg';
import { Connection, request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { boundLine } from '#bench/deliveries/bounds';
import {
  administer,
  allReceived,
  DELIVERY_SETTINGS,
  register,
  sendStream,
  startReceiver,
} from '#bench/deliveries/gateway';
import { until } from '#bench/backlog';
import { eventJson, ndjsonBody } from '#bench/events';
import { parsed } from '#bench/reading';
import type { ServerProcess } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { startAllInOne } from '#bench/streamforge';
import { setTimeout as sleep } from 'node:timers/promises';

const QUIET_EVENTS = 400;
const EVERY_MS = 25;
const BOUND_MS = 1_000;

interface Latency {
  p50Ms: number;
  p99Ms: number;
}

export interface FailingReceiverResult {
  deliveries: number;
  alone: Latency;
  /** Beside due deliveries to a receiver that answers 500, and to one that never answers. */
  beside: { kind: 'failing' | 'dead'; due: number; latency: Latency }[];
}

interface Run {
  gateway: ServerProcess;
  receiver: ServerProcess;
  client: Client;
}

/**
 * Measures the time from accept to delivery for a tenant that sends an event every 25 ms: alone, and beside `deliveries` of
 * another tenant whose events are through the handlers and whose receiver does not work.
 */
export async function measureFailingReceiver(
  postgres: BenchServer,
  rabbit: BenchRabbit,
  deliveries = 50_000,
): Promise<FailingReceiverResult> {
  const databaseUrl = await postgres.createDatabase('failing_receiver');
  await rabbit.empty();
  const receiver = await startReceiver();
  const gateway = await startAllInOne({ DATABASE_URL: databaseUrl, RABBITMQ_URL: rabbit.url, ...DELIVERY_SETTINGS });
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const run = { gateway, receiver, client };
    await quietTenant(run, 'quiet-warm-up');
    const alone = await quietTenant(run, 'quiet-alone');
    const beside: FailingReceiverResult['beside'] = [];
    for (const kind of ['failing', 'dead'] as const)
      beside.push({ kind, ...(await besideBacklog(run, kind, deliveries)) });
    return { deliveries, alone, beside };
  } finally {
    await client.end();
    await gateway.stop();
    await receiver.stop();
  }
}

async function besideBacklog(
  run: Run,
  kind: 'failing' | 'dead',
  deliveries: number,
): Promise<{ due: number; latency: Latency }> {
  const { gateway, receiver, client } = run;
  const tenantId = `load-${kind}`;
  const id = await register(gateway, { tenantId, url: `${receiver.url}/${kind}/${tenantId}` });
  await sendStream(gateway, tenantId, ndjsonBody({ type: 'order.paid', run: tenantId }, 0, deliveries));
  await until(async () => (await countQueued(client, id, 'infinity')) >= deliveries);
  const latency = await quietTenant(run, `quiet-${kind}`);
  const due = await countQueued(client, id, 'now');
  await administer(gateway, `POST /v1/admin/destinations/${id}/pause`, 200);
  return { due, latency };
}

async function countQueued(client: Client, destinationId: string, dueBefore: 'now' | 'infinity'): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::integer as n from delivery_queue where destination_id = $1 and due_at <= $2::timestamptz`,
    [destinationId, dueBefore],
  );
  return rows[0]?.n ?? 0;
}

async function quietTenant({ gateway, receiver }: Run, tenantId: string): Promise<Latency> {
  const path = `/quick/${tenantId}`;
  await register(gateway, { tenantId, url: `${receiver.url}${path}` });
  const connection = new Connection(gateway.url);
  for (let n = 0; n < QUIET_EVENTS; n++) {
    const headers = { 'X-Tenant-Id': tenantId, 'Content-Type': 'application/json' };
    const body = eventJson({ type: 'order.paid', run: tenantId }, n);
    parsed(await connection.send(request('POST /v1/events', headers, body)), 202);
    await sleep(EVERY_MS);
  }
  connection.close();
  const { p50Ms, p99Ms } = await allReceived(receiver, path, QUIET_EVENTS);
  return { p50Ms, p99Ms };
}

export function failingReceiverReport({ deliveries, alone, beside }: FailingReceiverResult): string {
  const text = ({ p50Ms, p99Ms }: Latency): string => `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`;
  const lines = beside.map(
    ({ kind, due, latency }) =>
      `  beside ${deliveries} deliveries to a receiver that ${kind === 'dead' ? 'never answers' : 'answers 500'}, ` +
      `${due} of them due: ${text(latency)}\n` +
      boundLine({ what: 'p99 in ms', values: [latency.p99Ms], most: BOUND_MS, digits: 0 }),
  );
  return `a quiet tenant alone: accept to delivery ${text(alone)}\n${lines.join('')}`;
}
