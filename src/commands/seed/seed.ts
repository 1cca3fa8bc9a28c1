import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Settings } from '../../config/settings';
import { createApp } from '../../create-app';
import { migrate } from '../../db/migrations/migrate';
import { createPool, inTransaction } from '../../db/pool';
import { prepareEvent, type PreparedEvent } from '../../event/prepare-event';
import { say } from '../../runtime/command';
import { isStreamForge, registerFailingDestination, sendEvents } from './api';
import { storeDeadLetters } from './dead-letters';
import { countByStatus } from './status-counts.queries';
import { DEMO_TENANT, demoEvents, failingEvents, type DemoEvent } from './demo-events';

const SETTLED_WITHIN_MS = 30_000;

/** Sends the demo events to the public API, waits until they are processed, and prints their number by status. */
export async function seed(url: string, databaseUrl: string, settings: Settings): Promise<void> {
  const pool = createPool(databaseUrl, 'streamforge seed');
  try {
    const target = await startUnlessThere(url, databaseUrl, settings);
    try {
      await sendAll(pool, target.url, settings);
      await settled(pool);
    } finally {
      await target.close();
    }
    for (const { type, status, events } of await countByStatus(pool, DEMO_TENANT)) {
      say(`  ${type.padEnd(16)} ${status.padEnd(10)} ${events}`);
    }
  } finally {
    await pool.end();
  }
}

async function startUnlessThere(
  url: string,
  databaseUrl: string,
  settings: Settings,
): Promise<{ url: string; close: () => Promise<void> }> {
  if (await isStreamForge(url)) return { url, close: () => Promise.resolve() };
  say(`Nothing listens at ${url}. Starting a temporary StreamForge.`);
  await migrate(databaseUrl);
  const app = await createApp(settings, databaseUrl);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}

async function sendAll(pool: Pool, url: string, settings: Settings): Promise<void> {
  const sent = await sendEvents(url, demoEvents());
  say(`${sent.accepted} events accepted, ${sent.duplicates} already there (tenant ${DEMO_TENANT}, sent to ${url})`);
  if (await registerFailingDestination(url, settings.ADMIN_TOKEN)) {
    const failing = await sendEvents(url, failingEvents());
    say(`${failing.accepted} more for a destination that does not exist; they end in the DLQ after MAX_RETRY_ATTEMPTS`);
  } else {
    const written = await inTransaction(pool, (db) => storeDeadLetters(db, failingEvents().map(preparedBy(settings))));
    say(`${written} dead letters written to the database, because no failing destination could be registered`);
  }
}

function preparedBy(settings: Settings): (event: DemoEvent) => PreparedEvent {
  const context = { tenantId: DEMO_TENANT, correlationId: 'seed', traceparent: undefined, idempotencyKey: undefined };
  return (event) => {
    const result = prepareEvent(Buffer.from(JSON.stringify(event)), context, settings);
    if ('rejection' in result) throw new Error(result.rejection.message);
    return result.prepared;
  };
}

/** Waits until every event is processed or waits for a retry. Prints a hint if that takes too long. */
async function settled(pool: Pool): Promise<void> {
  for (const endMs = Date.now() + SETTLED_WITHIN_MS; Date.now() < endMs; await sleep(100)) {
    const counts = await countByStatus(pool, DEMO_TENANT);
    if (counts.every(({ status }) => !['RECEIVED', 'PUBLISHED'].includes(status))) return;
  }
  say('Some events are still open. Are a publisher and a worker running?');
}
