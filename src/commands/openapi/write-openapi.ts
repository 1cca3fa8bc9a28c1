import { readFileSync, writeFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { parseSettings } from '../../config/parse-settings';
import { createApp } from '../../create-app';
import { describeApi } from '../../http/docs/api-docs';
import { say } from '../../runtime/command';
import { withAccessMatrix } from './access-matrix';

const FILE = 'openapi.json';
const PAGE = 'docs/access.md';

export async function writeOpenApi(): Promise<void> {
  Logger.overrideLogger(false);
  const settings = parseSettings({ NODE_ENV: 'test', LOG_LEVEL: 'silent', APP_ROLE: 'api', ADMIN_TOKEN: 'unused' });
  const app = await createApp(settings, 'postgres://localhost:1/none');
  const document = describeApi(app);
  writeFileSync(FILE, `${JSON.stringify(document, null, 2)}\n`);
  writeFileSync(PAGE, withAccessMatrix(readFileSync(PAGE, 'utf8'), document));
  say(`Wrote ${FILE}, and the table of roles in ${PAGE}.`);
  await app.close();
}
