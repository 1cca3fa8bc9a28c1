import '../runtime/require-node';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseSettings } from '../config/parse-settings';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres';
import { createPool } from '../db/pool';
import { pruneKeys, type PruneProgress } from '../db/retention/prune-keys';
import { explainStartFailure } from '../runtime/start-failure';

const PROGRESS_EVERY_MS = 1_000;

/**
 * `npm run prune:idempotency [-- --dry-run --days 90]`: deletes the idempotency keys that are past their retention, in
 * DATABASE_URL or the embedded PostgreSQL. A running StreamForge does the same by itself, slowly; this is for when room
 * is needed now, or to see how much there is.
 */
async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = parseSettings({ ...process.env, NODE_ENV: 'development', APP_ROLE: 'all' });
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, days: { type: 'string' } } });
  const retentionDays = daysOf(values.days) ?? settings.IDEMPOTENCY_DB_RETENTION_DAYS;
  const dryRun = values['dry-run'] ?? false;
  const embedded = settings.DATABASE_URL ? undefined : await startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  const pool = createPool(settings.DATABASE_URL ?? (embedded?.url as string), 'streamforge prune');
  try {
    const startedMs = Date.now();
    const last = await walk(pruneKeys(pool, { retentionDays, dryRun }));
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
    const what = dryRun ? 'would be deleted (dry run, nothing changed)' : 'deleted';
    say(`${last?.expired ?? 0} idempotency keys older than ${retentionDays} days ${what}, in ${seconds} s.`);
  } finally {
    await pool.end();
    await embedded?.stop();
  }
}

async function walk(steps: AsyncIterable<PruneProgress>): Promise<PruneProgress | undefined> {
  let last: PruneProgress | undefined;
  let saidAtMs = 0;
  for await (last of steps) {
    if (Date.now() - saidAtMs < PROGRESS_EVERY_MS) continue;
    saidAtMs = Date.now();
    say(`${Math.round((last.pages / last.of) * 100)} % of ${last.of} pages, ${last.expired} expired keys so far`);
  }
  return last;
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--days takes a whole number from 1, not ${text}`);
  return Number(text);
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

main().catch((error: unknown) => {
  process.stderr.write(`${explainStartFailure(error)}\n`);
  process.exit(1);
});
