import './runtime/require-node';
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './create-app';
import { isAllInOne } from './config/roles';
import type { Settings } from './config/settings';
import { hasPendingMigrations, migrate } from './db/migrations/migrate';
import { classifyPgError } from './db/pg-errors';
import { startTracing } from './observability/start-tracing';
import { banner } from './runtime/banner';
import { runCommand } from './runtime/command';
import { loadSettings } from './runtime/load-settings';
import { openDatabase } from './runtime/open-database';
import { Signals } from './runtime/signals';

/**
 * By default V8 lets the heap grow to a multiple of the live data before it collects. Events live just long enough to
 * be moved to the old generation, so a stream of 200 MB made the api grow by 320 MiB. Limited to 40 %, it grows by 180
 * MiB.
 */
setFlagsFromString('--heap-growing-percent=40');

runCommand(
  {
    name: 'npm start',
    summary:
      'Starts StreamForge in the roles of APP_ROLE. Settings come from the environment and .env; see .env.example.',
    options: {},
  },
  start,
);

async function start(): Promise<void> {
  const given = loadSettings();
  const settings = withAdminToken(given);
  const signals = new Signals(settings.SHUTDOWN_GRACE_MS);
  const database = await openDatabase(settings);
  let app: NestFastifyApplication | undefined;
  const stopTracing = settings.OTEL_EXPORTER_OTLP_ENDPOINT ? await startTracing(settings) : undefined;
  try {
    await bringSchemaUpToDate(settings, database.url);
    app = await createApp(settings, database.url);
    if (!signals.ending) await app.listen(settings.PORT, settings.HOST);
    const close = app.close.bind(app);
    signals.drainBy(async () => {
      await close();
      await database.stop();
      await stopTracing?.();
    });
    if (signals.ending) return;
    const tokenIsNew = settings.ADMIN_TOKEN !== given.ADMIN_TOKEN;
    process.stdout.write(banner(settings, await app.getUrl(), database.directory, tokenIsNew));
  } catch (error) {
    await app?.close();
    await database.stop();
    throw error;
  }
}

/** Outside production the api generates an admin token, so that there is no well-known default. */
function withAdminToken(settings: Settings): Settings {
  if (settings.ADMIN_TOKEN || !settings.APP_ROLE.includes('api')) return settings;
  return Object.freeze({ ...settings, ADMIN_TOKEN: randomBytes(18).toString('base64url') });
}

/** Migrates in all-in-one mode. A process of a cluster refuses to start when a migration is pending. */
async function bringSchemaUpToDate(settings: Settings, databaseUrl: string): Promise<void> {
  if (isAllInOne(settings.APP_ROLE)) {
    await migrate(databaseUrl);
    return;
  }
  try {
    if (!(await hasPendingMigrations(databaseUrl))) return;
  } catch (error) {
    if (classifyPgError(error) !== 'unavailable') throw error;
    return; // PostgreSQL may come up later; /ready reports it until then
  }
  throw new Error('The database schema is not up to date. Run: npm run migrate');
}
