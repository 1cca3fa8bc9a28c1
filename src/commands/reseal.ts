import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { resealWithProgress } from './reseal/reseal-with-progress';

runDatabaseCommand(
  {
    name: 'npm run reseal',
    summary:
      'Seals the secrets of destinations and sources again with the first key of DESTINATIONS_SECRET_KEY, so that older\n' +
      'keys can be removed from it. StreamForge may go on running. The exit code is 1 if no key opens some secret.',
    options: { 'dry-run': { type: 'boolean', does: 'count the secrets by key without changing them' } },
    settings: { LOG_LEVEL: 'error' },
  },
  (values, databaseUrl, settings) =>
    resealWithProgress(databaseUrl, settings.DESTINATIONS_SECRET_KEY, values['dry-run'] ?? false),
);
