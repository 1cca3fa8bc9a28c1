import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type * as RabbitBrokerModule from '../src/broker/rabbit-broker.js';
import type * as MacModule from '../src/integrity/mac.js';
import type * as UuidV7 from '../src/event/uuid-v7.js';
import { compiled } from '#bench/compiled';
import type { BenchServer } from '#bench/databases';
import { eventJson } from '#bench/events';
import { cpuMicroseconds } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { shown } from '#bench/statistics';
import { startRole } from '#bench/streamforge';

const { RabbitBroker } = compiled<typeof RabbitBrokerModule>('broker/rabbit-broker');
const { Mac } = compiled<typeof MacModule>('integrity/mac');
const { uuidV7 } = compiled<typeof UuidV7>('event/uuid-v7');

/** A few seconds of work each. The start of the worker is not measured. */
const BATCHED_EVENTS = 60_000;
const SINGLE_EVENTS = 8_000;
const PUBLISHED_AT_ONCE = 2_000;
/** The worker takes only what is signed with its key, or stored. */
const KEY = Buffer.alloc(32, 'bench');
const MAC = new Mac([KEY]);
const KEYS = { current: () => MAC, load: () => Promise.resolve(MAC), reload: () => Promise.resolve(MAC) };
/** Enough to determine a rate, even on a disk with slow commits. */
const MOST_MS = 15_000;

interface Rate {
  perSecond: number;
  /** CPU time of the worker process, including its start. */
  cpuUs: number;
}

export interface WorkerResult {
  batched: Rate[];
  single: Rate[];
}

/**
 * Measures the worker role alone: a process with the usage handler consumes a full queue of a real RabbitMQ. Batches and a
 * transaction per message (the same code with a batch size of one) take turns.
 */
export async function measureWorker(postgres: BenchServer, rabbit: BenchRabbit, rounds: number): Promise<WorkerResult> {
  const databaseUrl = await postgres.createDatabase('worker');
  const result: WorkerResult = { batched: [], single: [] };
  for (let round = 0; round < rounds; round++) {
    result.single.push(await workOff(databaseUrl, rabbit, SINGLE_EVENTS, { WORKER_BATCH_SIZE: '1' }));
    result.batched.push(await workOff(databaseUrl, rabbit, BATCHED_EVENTS, {}));
  }
  return result;
}

export function workerReport({ batched, single }: WorkerResult): string {
  const rates = (of: readonly Rate[]): string =>
    shown(
      of.map(({ perSecond }) => perSecond),
      0,
    );
  const cpu = shown(
    batched.map(({ cpuUs }) => cpuUs),
    0,
  );
  const ratios = batched.map(({ perSecond }, i) => perSecond / (single[i]?.perSecond ?? Number.NaN));
  return (
    `worker alone, batches: ${rates(batched)} events/s (wanted >= 12,000), ${cpu} µs of CPU each, including the start\n` +
    `worker alone, a transaction per message: ${rates(single)} events/s\n` +
    `ratio, by round: ${shown(ratios, 1)} (wanted >= 5)\n`
  );
}

/** Events per second between the first and the last transaction. */
async function workOff(
  databaseUrl: string,
  rabbit: BenchRabbit,
  count: number,
  env: Record<string, string>,
): Promise<Rate> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('truncate processing_attempts, usage_daily');
    await client.query('checkpoint');
    await rabbit.empty();
    await fill(rabbit.url, count);
    const worker = await startRole('worker', {
      DATABASE_URL: databaseUrl,
      RABBITMQ_URL: rabbit.url,
      INSTALLATION_KEY: KEY.toString('hex'),
      ...env,
    });
    let cpuUs: number | undefined;
    try {
      await untilCountedOrTimeIsOver(client, count);
      cpuUs = cpuMicroseconds(worker.child.pid);
    } finally {
      await worker.stop();
    }
    const { rows } = await client.query<{ seconds: string; events: string }>(
      `select extract(epoch from max(created_at) - min(created_at)) as seconds, count(*) as events
         from processing_attempts where status = 'SUCCESS'`,
    );
    const events = Number(rows[0]?.events);
    return { perSecond: events / Number(rows[0]?.seconds), cpuUs: (cpuUs ?? Number.NaN) / events };
  } finally {
    await client.end();
  }
}

/** Publishes messages without stored events. The worker needs only the message. */
async function fill(rabbitUrl: string, count: number): Promise<void> {
  const broker = await RabbitBroker.connect(rabbitUrl, { publishes: true, consumes: false }, KEYS);
  while (!broker.canPublish()) await sleep(20);
  const run = { type: 'order.paid', run: 'worker' };
  for (let from = 0; from < count; from += PUBLISHED_AT_ONCE) {
    const messages = Array.from({ length: Math.min(PUBLISHED_AT_ONCE, count - from) }, (_, i) => {
      const body = Buffer.from(eventJson(run, from + i));
      return {
        queue: 'events.main' as const,
        id: uuidV7(),
        headers: {
          'tenant-id': `tenant-${i % 5}`,
          'event-type': 'order.paid',
          'received-at': new Date().toISOString(),
          'size-bytes': body.length,
          'correlation-id': 'bench',
          'dispatch-no': 1,
          generation: 1,
        },
        body,
      };
    });
    const outcomes = await broker.publish(messages, 30_000);
    if (outcomes.some((outcome) => outcome !== 'confirmed')) throw new Error('RabbitMQ did not confirm all messages');
  }
  await broker.close();
}

async function untilCountedOrTimeIsOver(client: Client, count: number): Promise<void> {
  for (let endMs = Number.POSITIVE_INFINITY; Date.now() < endMs; await sleep(100)) {
    const { rows } = await client.query<{ n: string | null }>('select sum(events) as n from usage_daily');
    const counted = Number(rows[0]?.n);
    if (counted >= count) return;
    if (counted > 0 && endMs === Number.POSITIVE_INFINITY) endMs = Date.now() + MOST_MS;
  }
}
