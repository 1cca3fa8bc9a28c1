import { migrate } from '../../db/migrations/migrate';
import { dryRunMigrations, readMigrationStatus } from '../../db/migrations/migration-plan';
import { say } from '../../runtime/command';

export async function runMigrations(databaseUrl: string): Promise<void> {
  const ran = await migrate(databaseUrl);
  say(ran.length > 0 ? `Ran ${ran.join(', ')}.` : 'The schema is up to date.');
}

/** Sets exit code 1 if a migration is pending. */
export async function printMigrationStatus(databaseUrl: string): Promise<void> {
  const { applied, pending, fromNewerBuild } = await readMigrationStatus(databaseUrl);
  for (const name of applied) say(`applied  ${name}${fromNewerBuild.includes(name) ? '  (by a newer build)' : ''}`);
  for (const name of pending) say(`pending  ${name}`);
  say(pending.length > 0 ? `${pending.length} pending. Run: npm run migrate` : 'The schema is up to date.');
  if (pending.length > 0) process.exitCode = 1;
}

export async function printMigrationPlan(databaseUrl: string): Promise<void> {
  const plan = await dryRunMigrations(databaseUrl);
  for (const { name, statements } of plan) {
    say(`-- ${name}\n${statements.map((statement) => `${statement};\n`).join('')}`);
  }
  say(`-- ${plan.length} migrations would run; nothing was changed.`);
}
