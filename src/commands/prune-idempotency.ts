import '../runtime/require-node';
import { UsageError } from '../runtime/command';
import { runDatabaseCommand } from '../runtime/database-command';
import { pruneWithProgress } from './prune-idempotency/prune-with-progress';

runDatabaseCommand(
  {
    name: 'npm run prune:idempotency',
    summary:
      'Deletes expired idempotency keys. A running StreamForge does the same, but slowly. Use this command to free\n' +
      'space now, or with --dry-run to count the expired keys.',
    options: {
      days: { type: 'string', value: '<n>', does: 'retention in days (default: IDEMPOTENCY_DB_RETENTION_DAYS)' },
      'dry-run': { type: 'boolean', does: 'count expired keys without deleting them' },
    },
  },
  (values, databaseUrl, settings) =>
    pruneWithProgress(databaseUrl, {
      retentionDays: daysOf(values.days) ?? settings.IDEMPOTENCY_DB_RETENTION_DAYS,
      dryRun: values['dry-run'] ?? false,
    }),
);

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--days must be a whole number from 1, not ${text}`);
  return Number(text);
}
