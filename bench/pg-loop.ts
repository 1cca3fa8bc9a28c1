/**
 * (c) A loop that only writes batches with the statement of the application, over one connection. bench.ts starts it as a
 * child process, and tells it to prepare events and then to write them.
 */
import { Client } from 'pg';
import type { PreparedEvent } from '../src/event/prepare-event.js';
import type * as Queries from '../src/ingest/store/store-batch.queries.js';
import { compiled } from '#bench/compiled';
import type { EventSource } from '#bench/events';
import { preparedEvents } from '#bench/prepared-events';
import { quantile } from '#bench/statistics';

const { storeEvents } = compiled<typeof Queries>('ingest/store/store-batch.queries');

const BATCH_EVENTS = 500;

export type LoopOrder = { prepare: { source: EventSource; from: number; count: number } } | { writeForSeconds: number };
export interface LoopReport {
  events: number;
  seconds: number;
  batches: number;
  p50Ms: number;
  p99Ms: number;
}

const client = new Client({ connectionString: process.env.DATABASE_URL, options: '-c timezone=UTC' });
let batches: PreparedEvent[][] = [];

function prepare(source: EventSource, from: number, count: number): void {
  batches = [];
  for (let start = from; start < from + count; start += BATCH_EVENTS) {
    batches.push(preparedEvents('loop', source, start, BATCH_EVENTS));
  }
}

async function write(atMostSeconds: number): Promise<LoopReport> {
  const startedMs = performance.now();
  const batchMs: number[] = [];
  let events = 0;
  for (const batch of batches) {
    const batchStartedMs = performance.now();
    events += (await storeEvents(client, batch)).stored.length;
    batchMs.push(performance.now() - batchStartedMs);
    if (performance.now() - startedMs > atMostSeconds * 1000) break;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  batchMs.sort((a, b) => a - b);
  return { events, seconds, batches: batchMs.length, p50Ms: quantile(batchMs, 0.5), p99Ms: quantile(batchMs, 0.99) };
}

async function carryOut(order: LoopOrder): Promise<LoopReport | null> {
  if ('writeForSeconds' in order) return write(order.writeForSeconds);
  const { source, from, count } = order.prepare;
  prepare(source, from, count);
  return null;
}

await client.connect();
process.on('message', (order: LoopOrder) => {
  carryOut(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
