import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { printMigrationPlan, printMigrationStatus, runMigrations } from './migrate/report-migrations';

// As PID 1 of a container, the process never gets a signal that it does not handle. PostgreSQL rolls an open transaction
// back when the connection breaks.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1));

runDatabaseCommand(
  {
    name: 'npm run migrate',
    summary: 'Brings the schema up to date, in the database of DATABASE_URL or in the embedded PostgreSQL.',
    options: {
      status: { type: 'boolean', does: 'list applied and pending migrations; exit code 1 when one is pending' },
      'dry-run': { type: 'boolean', does: 'run pending migrations in a transaction, print them, roll back' },
    },
  },
  (values, databaseUrl) => {
    if (values.status) return printMigrationStatus(databaseUrl);
    return values['dry-run'] ? printMigrationPlan(databaseUrl) : runMigrations(databaseUrl);
  },
);
