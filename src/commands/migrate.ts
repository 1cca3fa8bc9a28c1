import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { printMigrationPlan, printMigrationStatus, runMigrations } from './migrate/report-migrations';

// PID 1 of a container receives only signals that it handles. When the process exits, PostgreSQL rolls back the open
// transaction.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1));

runDatabaseCommand(
  {
    name: 'npm run migrate',
    summary: 'Updates the schema of the database at DATABASE_URL, or of the embedded PostgreSQL.',
    options: {
      status: { type: 'boolean', does: 'list applied and pending migrations; the exit code is 1 if one is pending' },
      'dry-run': { type: 'boolean', does: 'run pending migrations in a transaction, print them, roll back' },
    },
  },
  (values, databaseUrl) => {
    if (values.status) return printMigrationStatus(databaseUrl);
    return values['dry-run'] ? printMigrationPlan(databaseUrl) : runMigrations(databaseUrl);
  },
);
