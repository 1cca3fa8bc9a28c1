import '../runtime/require-node';
import { UsageError } from '../runtime/command';
import { runDatabaseCommand } from '../runtime/database-command';
import { pruneWithProgress } from './prune-idempotency/prune-with-progress';

runDatabaseCommand(
  {
    name: 'npm run prune:idempotency',
    summary:
      'Deletes idempotency keys that are past their retention. A running StreamForge does the same, slowly;\n' +
      'use this command to free space now, or with --dry-run to see how much there is.',
    options: {
      days: { type: 'string', value: '<n>', does: 'retention, instead of IDEMPOTENCY_DB_RETENTION_DAYS' },
      'dry-run': { type: 'boolean', does: 'count expired keys and delete none' },
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
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--days takes a whole number from 1, not ${text}`);
  return Number(text);
}
