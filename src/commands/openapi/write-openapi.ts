import { writeFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { parseSettings } from '../../config/parse-settings';
import { createApp } from '../../create-app';
import { describeApi } from '../../http/docs/api-docs';
import { say } from '../../runtime/command';

const FILE = 'openapi.json';

export async function writeOpenApi(): Promise<void> {
  Logger.overrideLogger(false);
  const settings = parseSettings({ NODE_ENV: 'test', LOG_LEVEL: 'silent', APP_ROLE: 'api', ADMIN_TOKEN: 'unused' });
  const app = await createApp(settings, 'postgres://localhost:1/none');
  writeFileSync(FILE, `${JSON.stringify(describeApi(app), null, 2)}\n`);
  say(`Wrote ${FILE}.`);
  await app.close();
}
