import { setTimeout as sleep } from 'node:timers/promises';
import { rowsOf } from '../../support/processes/e2e-own-servers';
import type { Landscape } from '../landscape/landscape';
import { scrape } from '../landscape/scrape';

const PATIENCE_MS = 20_000;

/** Returns the gauges that stay wrong while everything is at rest. */
export async function findWrongGauges(landscape: Landscape): Promise<string[]> {
  const [row] = await rowsOf<{ dead: number }>(
    landscape.databaseUrl,
    `select ((select count(*) from dead_letters where resolved_at is null)
             + (select count(*) from delivery_status where newest and status = 'FAILED'))::int as dead`,
  );
  const dead = row?.dead ?? 0;
  for (const untilMs = Date.now() + PATIENCE_MS; ;) {
    const wrong = (await Promise.all(landscape.processes.map((one) => wrongOf(one, dead)))).flat();
    if (wrong.length === 0 || Date.now() > untilMs) return wrong;
    await sleep(500);
  }
}

async function wrongOf(process: { name: string; role: string; url: string }, dead: number): Promise<string[]> {
  const values = await scrape(process.url);
  if (!values) return [`${process.name} does not answer /metrics`];
  const expected: Record<string, number> = {
    streamforge_ingest_queue_depth: 0,
    ...(process.role === 'publisher'
      ? {
          streamforge_outbox_backlog: 0,
          streamforge_outbox_oldest_pending_seconds: 0,
          streamforge_outbox_failed: 0,
          streamforge_dlq_size: dead,
        }
      : {}),
  };
  const down = Object.keys(values).filter(
    (series) => series.startsWith('streamforge_dependency_up') && values[series] !== 1,
  );
  const wrong = Object.entries(expected).filter(([series, value]) => series in values && values[series] !== value);
  return [
    ...down.map((series) => `${process.name}: ${series} is ${values[series]}`),
    ...wrong.map(([series, value]) => `${process.name}: ${series} is ${values[series]}, not ${value}`),
  ];
}
