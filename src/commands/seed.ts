import '../runtime/require-node';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { parseSettings } from '../config/parse-settings';
import type { Settings } from '../config/settings';
import { createApp } from '../create-app';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../db/embedded/embedded-postgres';
import { migrate } from '../db/migrations/migrate';
import { createPool, inTransaction } from '../db/pool';
import { prepareEvent, type PreparedEvent } from '../event/prepare-event';
import { explainStartFailure } from '../runtime/start-failure';
import { isStreamForge, registerFailingDestination, sendEvents } from './seed/api';
import { countByStatus, storeDeadLetters } from './seed/dead-letters.queries';
import { DEMO_TENANT, demoEvents, failingEvents, type DemoEvent } from './seed/demo-events';

const SETTLE_TIMEOUT_MS = 30_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * `npm run seed [-- --url http://127.0.0.1:3000]`: a demo tenant with events of several types, sent by the public API,
 * and one group in the DLQ. Seeding twice adds nothing. Where nobody listens it starts a StreamForge for the time.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { url: { type: 'string' } } });
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = parseSettings({ ...process.env, NODE_ENV: 'development', APP_ROLE: 'all', LOG_LEVEL: 'error' });
  const embedded = settings.DATABASE_URL ? undefined : await startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  const databaseUrl = settings.DATABASE_URL ?? (embedded as EmbeddedPostgres).url;
  const pool = createPool(databaseUrl, 'streamforge seed');
  const own = await startUnlessThere(settings, databaseUrl, values.url ?? `http://127.0.0.1:${settings.PORT}`);
  try {
    await seed(pool, own.url, settings);
  } finally {
    await pool.end();
    await own.close();
    await embedded?.stop();
  }
}

async function seed(pool: Pool, url: string, settings: Settings): Promise<void> {
  const sent = await sendEvents(url, demoEvents());
  say(`${sent.accepted} events accepted, ${sent.duplicates} were there already (tenant ${DEMO_TENANT}, by ${url})`);
  if (await registerFailingDestination(url, settings.ADMIN_TOKEN)) {
    const failing = await sendEvents(url, failingEvents());
    say(`${failing.accepted} more go to a destination that does not exist, and to the DLQ after MAX_RETRY_ATTEMPTS`);
  } else {
    const written = await inTransaction(pool, (db) => storeDeadLetters(db, failingEvents().map(preparedBy(settings))));
    say(`${written} dead letters written to the database: no destination could be registered that would fail`);
  }
  await settled(pool);
  for (const { type, status, events } of await countByStatus(pool, DEMO_TENANT)) {
    say(`  ${type.padEnd(16)} ${status.padEnd(10)} ${events}`);
  }
}

async function startUnlessThere(
  settings: Settings,
  databaseUrl: string,
  url: string,
): Promise<{ url: string; close: () => Promise<void> }> {
  if (await isStreamForge(url)) return { url, close: () => Promise.resolve() };
  say(`nobody listens at ${url}: starting a StreamForge for the time of seeding`);
  await migrate(databaseUrl);
  const app = await createApp(settings, databaseUrl);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}

function preparedBy(settings: Settings): (event: DemoEvent) => PreparedEvent {
  const context = { tenantId: DEMO_TENANT, correlationId: 'seed', traceparent: undefined, idempotencyKey: undefined };
  return (event) => {
    const result = prepareEvent(Buffer.from(JSON.stringify(event)), context, settings);
    if ('rejection' in result) throw new Error(result.rejection.message);
    return result.prepared;
  };
}

/** Waits until workers are done with all but what waits for a retry; says so when they are not there. */
async function settled(pool: Pool): Promise<void> {
  for (const endMs = Date.now() + SETTLE_TIMEOUT_MS; Date.now() < endMs; await sleep(100)) {
    const counts = await countByStatus(pool, DEMO_TENANT);
    if (counts.every(({ status }) => !['RECEIVED', 'PUBLISHED'].includes(status))) return;
  }
  say('some are still open: is there a publisher and a worker?');
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainStartFailure(error)}\n`);
  process.exit(1);
});
