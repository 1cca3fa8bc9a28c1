import '../runtime/require-node';
import { runCommand } from '../runtime/command';
import { writeOpenApi } from './openapi/write-openapi';

runCommand(
  {
    name: 'npm run openapi',
    summary:
      'Writes the OpenAPI document of the api to openapi.json, its table of roles to docs/access.md, and the tables of presets to docs/source-providers.md. Needs no server.',
    options: {},
  },
  writeOpenApi,
);
