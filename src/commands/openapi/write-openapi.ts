import { readFileSync, writeFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { parseSettings } from '../../config/parse-settings';
import { createApp } from '../../create-app';
import { describeApi } from '../../http/docs/api-docs';
import { say } from '../../runtime/command';
import { PROVIDERS } from '../../sources/providers/providers';
import { withAccessMatrix } from './access-matrix';
import { withProviderTables } from './provider-tables';

const FILE = 'openapi.json';
const PAGE = 'docs/access.md';
const PROVIDERS_PAGE = 'docs/source-providers.md';

export async function writeOpenApi(): Promise<void> {
  Logger.overrideLogger(false);
  const settings = parseSettings({ NODE_ENV: 'test', LOG_LEVEL: 'silent', APP_ROLE: 'api', ADMIN_TOKEN: 'unused' });
  const app = await createApp(settings, 'postgres://localhost:1/none');
  const document = describeApi(app);
  writeFileSync(FILE, `${JSON.stringify(document, null, 2)}\n`);
  writeFileSync(PAGE, withAccessMatrix(readFileSync(PAGE, 'utf8'), document));
  writeFileSync(PROVIDERS_PAGE, withProviderTables(readFileSync(PROVIDERS_PAGE, 'utf8'), PROVIDERS));
  say(`Wrote ${FILE}, the table of roles in ${PAGE}, and the tables of presets in ${PROVIDERS_PAGE}.`);
  await app.close();
}
