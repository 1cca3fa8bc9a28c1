import '../runtime/require-node';
import { runCommand } from '../runtime/command';
import { writeOpenApi } from './openapi/write-openapi';

runCommand(
  {
    name: 'npm run openapi',
    summary:
      'Writes the OpenAPI document of the api to openapi.json, and its table of roles to docs/access.md. Needs no server.',
    options: {},
  },
  writeOpenApi,
);
