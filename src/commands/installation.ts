import '../runtime/require-node';
import { UsageError } from '../runtime/command';
import { runDatabaseCommand } from '../runtime/database-command';
import { changeInstallation } from './installation/change-installation';

runDatabaseCommand(
  {
    name: 'npm run installation',
    summary:
      'Says which installation this database is, and whether it is where that one is at home. Of a database that was\n' +
      'restored elsewhere, nothing is published, consumed or delivered until one of these options has said what it is.',
    options: {
      confirm: {
        type: 'boolean',
        does: 'it takes the place of the other database, which must not run any more',
      },
      new: {
        type: 'boolean',
        does: 'make it an installation of its own, with a new id and key, and pause its destinations',
      },
      'keep-destinations': { type: 'boolean', does: 'with --new: do not pause the destinations' },
    },
    settings: { LOG_LEVEL: 'error' },
  },
  async (values, databaseUrl) => {
    const { confirm = false, new: own = false, 'keep-destinations': keep = false } = values;
    if (confirm && own) throw new UsageError('--confirm and --new exclude each other.');
    if (keep && !own) throw new UsageError('--keep-destinations needs --new.');
    await changeInstallation(databaseUrl, confirm ? 'confirm' : own ? 'new' : 'show', keep);
  },
);
