import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { seed } from './seed/seed';

runDatabaseCommand(
  {
    name: 'npm run seed',
    summary:
      'Creates a demo tenant with events of several types, some of them in the DLQ. Running it again adds nothing.\n' +
      'Starts a temporary StreamForge if none is running.',
    options: {
      url: {
        type: 'string',
        value: '<url>',
        does: 'StreamForge to send to (default: the one that uses this data directory, else PORT of this machine)',
      },
    },
    settings: { LOG_LEVEL: 'error' },
  },
  ({ url }, databaseUrl, settings) => seed(url, databaseUrl, settings),
);
