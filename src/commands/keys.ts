import '../runtime/require-node';
import { runDatabaseCommand } from '../runtime/database-command';
import { manageKeys } from './keys/manage-keys';

runDatabaseCommand(
  {
    name: 'npm run keys',
    summary:
      'Manages API keys without the admin API:\n' +
      '  create     prints a new key, which is shown only once; registers the tenant if it is new\n' +
      '  list       prints the keys of one tenant or of all, newest first\n' +
      '  revoke ID  revokes a key; every process refuses it when the command ends',
    operands: 'create|list|revoke ID',
    options: {
      tenant: { type: 'string', value: '<id>', does: 'create: tenant of the key; list: only keys of this tenant' },
      name: { type: 'string', value: '<text>', does: 'create: name of the key' },
      scopes: { type: 'string', value: '<list>', default: 'ingest,read', does: 'create: ingest, read or both' },
      expires: { type: 'string', value: '<time>', does: 'create: RFC 3339 date-time at which the key expires' },
      allow: { type: 'string', value: '<list>', does: 'create: networks that may use the key, such as 10.0.0.0/8' },
    },
    settings: { LOG_LEVEL: 'error' },
  },
  manageKeys,
);
