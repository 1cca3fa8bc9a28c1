import './runtime/require-node';
import './runtime/quick-start';
import { setFlagsFromString } from 'node:v8';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdminToken } from './access/admin-token';
import { SignInCode } from './admin/sign-in/sign-in-code';
import { abandon, createApp, leave, listen } from './create-app';
import { isAllInOne } from './config/roles';
import type { Settings } from './config/settings';
import { claimDirectory } from './db/embedded/running-instance';
import { hasPendingMigrations, migrate } from './db/migrations/migrate';
import { isWaitedForAtStart } from './db/pg-errors';
import { isRefusedSession } from './db/session/session-error';
import { requireSpillDirectory } from './ingest/results/spill-directory';
import { stdoutLog } from './observability/log-output';
import { startTracing } from './observability/start-tracing';
import { banner } from './runtime/banner';
import { runCommand } from './runtime/command';
import { loadSettings, proxyAdvice } from './runtime/load-settings';
import { openDatabase } from './runtime/open-database';
import { shutdownPhases } from './runtime/shutdown-phases';
import { Signals } from './runtime/signals';

/**
 * By default V8 lets the heap grow to a multiple of the live data before it collects. Events live just long enough to
 * be moved to the old generation, so a stream of 200 MB made the api grow by 320 MiB. Limited to 40 %, it grows by 180
 * MiB.
 */
setFlagsFromString('--heap-growing-percent=40');

/** How long the end of the process waits for a reader of stdout. */
const LAST_LINES_MS = 250;

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
  const settings = loadSettings();
  requireSpillDirectory(settings);
  const signals = new Signals(settings.SHUTDOWN_GRACE_MS);
  const claim = settings.DATABASE_URL === undefined ? claimDirectory(settings.STREAMFORGE_DATA_DIR) : undefined;
  const database = await openDatabase(settings);
  let app: NestFastifyApplication | undefined;
  const stopTracing = settings.OTEL_EXPORTER_OTLP_ENDPOINT ? await startTracing(settings) : undefined;
  const closeDatabase = async (): Promise<void> => {
    await database.stop();
    claim?.release();
  };
  try {
    await bringSchemaUpToDate(settings, database.url);
    app = await createApp(settings, database.url);
    const urls = signals.ending ? undefined : await listen(app, settings);
    const leaving = app;
    signals.drainBy(async (signal) => {
      const { drainMs, closeMs } = shutdownPhases(settings);
      // SIGINT comes from a terminal: no load balancer is told, and a person waits.
      await leave(leaving, { drainMs: urls && signal === 'SIGTERM' ? drainMs : 0, closeMs });
      await Promise.all([closeDatabase(), stopTracing?.()]);
      await stdoutLog.flushed(LAST_LINES_MS);
    });
    if (signals.ending || !urls) return;
    const { url, opsUrl } = urls;
    claim?.announce(url);
    const token = await generatedAdminToken(app, settings);
    const advice = proxyAdvice(settings);
    if (advice !== undefined) new Logger('Settings').warn(advice);
    const code = settings.APP_ROLE.includes('api') ? app.get(SignInCode, { strict: false }).issue() : undefined;
    process.stdout.write(banner(settings, { url, opsUrl, dataDirectory: database.directory, token, code }));
  } catch (error) {
    if (app) await abandon(app);
    await closeDatabase();
    throw error;
  }
}

/** Returns the generated admin token, or undefined if ADMIN_TOKEN is set or this process has no admin endpoints. */
async function generatedAdminToken(app: NestFastifyApplication, settings: Settings): Promise<string | undefined> {
  if (!settings.APP_ROLE.includes('api')) return undefined;
  const token = app.get(AdminToken);
  if (!token.isGenerated) return undefined;
  try {
    return await token.value();
  } catch (error) {
    if (!isWaitedForAtStart(error)) throw error;
    return 'in the database (installation.admin_token), which cannot be reached now';
  }
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
    if (isRefusedSession(error) || !isWaitedForAtStart(error)) throw error;
    return; // PostgreSQL may come up later; /ready reports it until then
  }
  throw new Error('The database schema is not up to date. Run: npm run migrate');
}
