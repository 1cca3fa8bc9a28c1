import { servesConsole, servesDocs } from '../config/exposure';
import { isAllInOne } from '../config/roles';
import type { Settings } from '../config/settings';
import { consoleDirectory } from '../http/console/console-directory';

/** The text that is printed once after the start. */
export function banner(
  settings: Settings,
  url: string,
  dataDirectory: string | undefined,
  generatedToken: string | undefined,
  opsUrl?: string,
): string {
  const role = isAllInOne(settings.APP_ROLE) ? 'all' : settings.APP_ROLE.join(', ');
  const broker = settings.APP_ROLE.some((name) => name !== 'api');
  const hasConsole = servesConsole(settings) && consoleDirectory() !== undefined;
  const lines = [
    `StreamForge is ready  (role: ${role})`,
    `  address    ${url}`,
    ...(opsUrl === undefined ? [] : [`  operations ${opsUrl}`]),
    ...(hasConsole ? [`  console    ${opsUrl ?? url}/console`] : []),
    ...(servesDocs(settings) ? [`  docs       ${opsUrl ?? url}/docs`] : []),
    `  postgres   ${dataDirectory ? `embedded, data in ${dataDirectory}` : 'DATABASE_URL'}`,
    `  redis      ${settings.REDIS_URL ? 'REDIS_URL' : 'none: cache in this process'}`,
    ...(broker ? [`  rabbitmq   ${settings.RABBITMQ_URL ? 'RABBITMQ_URL' : 'none: broker in this process'}`] : []),
    ...(generatedToken === undefined
      ? []
      : [`  admin      X-Admin-Token: ${generatedToken}  (generated; set ADMIN_TOKEN to choose your own)`]),
  ];
  return `\n${lines.join('\n')}\n\n`;
}
