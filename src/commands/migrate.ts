import { existsSync } from 'node:fs';
import { parseSettings } from '../config/parse-settings';
import { startEmbeddedPostgres } from '../db/embedded-postgres';
import { migrate } from '../db/migrate';
import { explainStartFailure } from '../runtime/start-failure';

/** `npm run migrate`: brings the schema of DATABASE_URL, or of the embedded PostgreSQL, up to date. */
async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = parseSettings({ ...process.env, NODE_ENV: 'development', APP_ROLE: 'all' });
  const embedded = settings.DATABASE_URL ? undefined : await startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  try {
    const ran = await migrate(settings.DATABASE_URL ?? (embedded?.url as string));
    process.stdout.write(ran.length > 0 ? `Ran ${ran.join(', ')}.\n` : 'The schema is up to date.\n');
  } finally {
    await embedded?.stop();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainStartFailure(error)}\n`);
  process.exit(1);
});
