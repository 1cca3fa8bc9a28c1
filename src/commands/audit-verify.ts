import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { UsageError } from '../runtime/command';
import { verifyWithReport } from './audit-verify/verify-with-report';

runDatabaseCommand(
  {
    name: 'npm run audit:verify',
    summary:
      'Compares the audit trail with the chain of digests over it. Names every row that was changed, removed, or inserted\n' +
      'past the triggers. The exit code is 1 if there is one. Changes nothing.',
    options: {
      known: {
        type: 'string',
        value: '<n>:<digest>',
        does: 'a link that the log line audit.chained has told, which must be in the chain; separate several by commas',
      },
    },
    settings: { LOG_LEVEL: 'error' },
  },
  (values, databaseUrl) => verifyWithReport(databaseUrl, knownLinks(values.known)),
);

function knownLinks(text: string | undefined): { n: string; digest: string }[] {
  return (text?.split(',') ?? []).map((part) => {
    const [, n, digest] = /^([1-9]\d{0,17}):([0-9a-f]{64})$/.exec(part.trim()) ?? [];
    if (n === undefined || digest === undefined) {
      throw new UsageError(`--known must be a number, a colon and 64 hexadecimal digits, not ${part}`);
    }
    return { n, digest };
  });
}
