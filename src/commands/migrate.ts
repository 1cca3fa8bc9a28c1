import '../runtime/require-node';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseSettings } from '../config/parse-settings';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../db/embedded/embedded-postgres';
import { migrate } from '../db/migrations/migrate';
import { dryRunMigrations, readMigrationStatus } from '../db/migrations/migration-plan';
import { explainStartFailure } from '../runtime/start-failure';

const USAGE = `npm run migrate                 brings the schema of DATABASE_URL, or of the embedded PostgreSQL, up to date
npm run migrate -- --status     lists what the database has and lacks; exit code 1 when something is pending
npm run migrate -- --dry-run    runs what is pending in a transaction, prints it, and rolls it back
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { status: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) return void process.stdout.write(USAGE);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = parseSettings({ ...process.env, NODE_ENV: 'development', APP_ROLE: 'all' });
  const embedded = settings.DATABASE_URL ? undefined : await startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  const databaseUrl = settings.DATABASE_URL ?? (embedded as EmbeddedPostgres).url;
  try {
    if (values.status) await printStatus(databaseUrl);
    else if (values['dry-run']) await printPlan(databaseUrl);
    else await run(databaseUrl);
  } finally {
    await embedded?.stop();
  }
}

async function run(databaseUrl: string): Promise<void> {
  const ran = await migrate(databaseUrl);
  process.stdout.write(ran.length > 0 ? `Ran ${ran.join(', ')}.\n` : 'The schema is up to date.\n');
}

async function printStatus(databaseUrl: string): Promise<void> {
  const { applied, pending, fromNewerBuild } = await readMigrationStatus(databaseUrl);
  const lines = [
    ...applied.map((name) => `applied  ${name}${fromNewerBuild.includes(name) ? '  (by a newer build)' : ''}`),
    ...pending.map((name) => `pending  ${name}`),
    pending.length > 0 ? `${pending.length} pending. Run: npm run migrate` : 'The schema is up to date.',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (pending.length > 0) process.exitCode = 1;
}

async function printPlan(databaseUrl: string): Promise<void> {
  const plan = await dryRunMigrations(databaseUrl);
  for (const { name, statements } of plan) {
    process.stdout.write(`-- ${name}\n${statements.map((statement) => `${statement};\n`).join('')}\n`);
  }
  process.stdout.write(`-- ${plan.length} would run; nothing was changed.\n`);
}

// As PID 1 of a container the process would never get a signal that it does not handle. A transaction that is under way
// is rolled back by PostgreSQL when the connection breaks.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1));

main().catch((error: unknown) => {
  process.stderr.write(`${explainStartFailure(error)}\n`);
  process.exit(1);
});
