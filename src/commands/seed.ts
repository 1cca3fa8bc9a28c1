import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { seed } from './seed/seed';

runDatabaseCommand(
  {
    name: 'npm run seed',
    summary:
      'Makes a demo tenant: events of several types, and a group in the DLQ. Seeding twice adds nothing.\n' +
      'Where no StreamForge listens, one is started for as long as seeding takes.',
    options: {
      url: { type: 'string', value: '<url>', does: 'send to this StreamForge (default: PORT of this machine)' },
    },
    settings: { LOG_LEVEL: 'error' },
  },
  ({ url }, databaseUrl, settings) => seed(url ?? `http://127.0.0.1:${settings.PORT}`, databaseUrl, settings),
);
