import '../runtime/require-node';
import { writeFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { parseSettings } from '../config/parse-settings';
import { createApp } from '../create-app';
import { describeApi } from '../http/api-docs';

/** `npm run openapi`: writes the OpenAPI document of the api to openapi.json. Needs no server: nothing is connected to. */
async function main(): Promise<void> {
  Logger.overrideLogger(false);
  const settings = parseSettings({ NODE_ENV: 'test', LOG_LEVEL: 'silent', APP_ROLE: 'api', ADMIN_TOKEN: 'unused' });
  const app = await createApp(settings, 'postgres://localhost:1/none');
  writeFileSync('openapi.json', `${JSON.stringify(describeApi(app), null, 2)}\n`);
  process.stdout.write('openapi.json is written.\n');
  await app.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
