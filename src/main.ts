import './runtime/require-node';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './create-app';
import { parseSettings, SettingsError } from './config/parse-settings';
import { isAllInOne } from './config/roles';
import type { Settings } from './config/settings';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './db/embedded/embedded-postgres';
import { hasPendingMigrations, migrate } from './db/migrations/migrate';
import { classifyPgError } from './db/pg-errors';
import { startTracing } from './observability/start-tracing';
import { banner } from './runtime/banner';
import { Signals } from './runtime/signals';
import { explainStartFailure } from './runtime/start-failure';

/**
 * V8 lets the heap grow to a multiple of what is alive before it collects. Events live just long enough to be taken for
 * old, so a stream of 200 MB raised the api by 320 MiB; with at most 40 % of growth it is 180 MiB.
 */
setFlagsFromString('--heap-growing-percent=40');

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = withAdminToken(parseSettings(process.env));
  const signals = new Signals(settings.SHUTDOWN_GRACE_MS);
  const embedded = settings.DATABASE_URL ? undefined : await startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  const databaseUrl = settings.DATABASE_URL ?? (embedded as EmbeddedPostgres).url;
  let app: NestFastifyApplication | undefined;
  const stopTracing = settings.OTEL_EXPORTER_OTLP_ENDPOINT ? await startTracing(settings) : undefined;
  try {
    await bringSchemaUpToDate(settings, databaseUrl);
    app = await createApp(settings, databaseUrl);
    if (!signals.ending) await app.listen(settings.PORT, settings.HOST);
    const close = app.close.bind(app);
    signals.drainBy(async () => {
      await close();
      await embedded?.stop();
      await stopTracing?.();
    });
    if (signals.ending) return;
    const tokenIsNew = !process.env.ADMIN_TOKEN && settings.APP_ROLE.includes('api');
    process.stdout.write(banner(settings, await app.getUrl(), embedded?.directory, tokenIsNew));
  } catch (error) {
    await app?.close();
    await embedded?.stop();
    throw error;
  }
}

/** Outside production the api makes up an admin token, so that no well-known one ever works. */
function withAdminToken(settings: Settings): Settings {
  if (settings.ADMIN_TOKEN || !settings.APP_ROLE.includes('api')) return settings;
  return Object.freeze({ ...settings, ADMIN_TOKEN: randomBytes(18).toString('base64url') });
}

/** All-in-one migrates by itself; processes of a cluster refuse to run on a schema that lacks a migration. */
async function bringSchemaUpToDate(settings: Settings, databaseUrl: string): Promise<void> {
  if (isAllInOne(settings.APP_ROLE)) {
    await migrate(databaseUrl);
    return;
  }
  try {
    if (!(await hasPendingMigrations(databaseUrl))) return;
  } catch (error) {
    if (classifyPgError(error) !== 'unavailable') throw error;
    return; // it comes up later; until then /ready says so
  }
  throw new Error('The database schema is not up to date. Run: npm run migrate');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof SettingsError ? error.message : explainStartFailure(error)}\n`);
  process.exit(1);
});
