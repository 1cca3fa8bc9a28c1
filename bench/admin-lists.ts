/**
 * npm run bench:admin [-- <events>]: times each admin list over a million events, or as many as the argument says, without
 * other load. Uses DATABASE_URL, or an embedded PostgreSQL in a temporary directory.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { compiled } from '#bench/compiled';
import { BenchServer } from '#bench/databases';
import type * as ReasonQueries from '../src/admin/dead-letters/dead-letter-reasons.queries.js';
import type * as EventCriteria from '../src/admin/events/event-criteria.js';
import type { EventFilter } from '../src/admin/events/event-filter.js';
import type * as EventSearch from '../src/admin/events/event-search.queries.js';
import type * as FailedEntries from '../src/event-state/failed-entries.queries.js';
import type * as Figures from '../src/event-state/figures.queries.js';
import type * as PoolModule from '../src/db/pool.js';

const { listReasons } = compiled<typeof ReasonQueries>('admin/dead-letters/dead-letter-reasons.queries');
const { criteriaOf } = compiled<typeof EventCriteria>('admin/events/event-criteria');
const { findEvents } = compiled<typeof EventSearch>('admin/events/event-search.queries');
const { listFailedEntries } = compiled<typeof FailedEntries>('event-state/failed-entries.queries');
const { readOutboxFigures } = compiled<typeof Figures>('event-state/figures.queries');
const { createPool } = compiled<typeof PoolModule>('db/pool');

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const RUNS = 20;

const FILTERS: EventFilter[] = [
  {},
  { tenantId: 'tenant-3' },
  { tenantId: 'rare' },
  { type: 'order.type2' },
  { type: 'rare.type' },
  { subject: 'order-77' },
  { tenantId: 'tenant-17', subject: 'order-77' },
  { correlationId: 'no such' },
  { status: 'COMPLETED' },
  { status: 'RECEIVED' },
  { status: 'PUBLISHED' },
  { status: 'DELIVERING' },
  { status: 'RETRYING' },
  { status: 'DLQ' },
  { status: 'DISCARDED' },
  { status: 'DLQ', tenantId: 'tenant-1' },
  { status: 'DLQ', type: 'order.type1' },
  { reasonCode: 'REASON_3' },
  { destinationId: '00000000-0000-7000-8000-000000000001' },
  { status: 'DLQ', statusClass: '5xx' },
  { status: 'RETRYING', reasonCode: 'NO_SUCH' },
];

async function main(): Promise<void> {
  const server = await BenchServer.start();
  try {
    const url = await server.createDatabase('admin');
    process.stdout.write(`${await server.version()}: inserting ${EVENTS} events …\n`);
    await fill(url);
    const pool = createPool(url, 'bench');
    for (const filter of FILTERS) {
      await report(`events ${JSON.stringify(filter)}`, () =>
        findEvents(pool, criteriaOf(filter, { tenantIds: null }), 50),
      );
    }
    await report('dlq/reasons', () => listReasons(pool, criteriaOf({}, { tenantIds: null }), 50));
    await report('dlq/reasons {"tenantId":"tenant-1"}', () =>
      listReasons(pool, criteriaOf({ tenantId: 'tenant-1' }, { tenantIds: null }), 50),
    );
    await report('outbox', async () => [await readOutboxFigures(pool), await listFailedEntries(pool, 100)]);
    await pool.end();
  } finally {
    await server.stop();
  }
}

async function fill(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  await client.query(readFileSync(new URL('admin-events.sql', import.meta.url), 'utf8'));
  await client.query('select pg_temp.fill($1)', [EVENTS]);
  await client.query('commit');
  await client.query('vacuum analyze');
  await client.end();
}

async function report(name: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  const first = times[0] ?? 0;
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * (RUNS - 1))] ?? 0).toFixed(1).padStart(7);
  process.stdout.write(
    `${name.padEnd(60)} min ${at(0)} ms   p50 ${at(0.5)} ms   p95 ${at(0.95)} ms   first ${first.toFixed(1)} ms\n`,
  );
}

await main();
