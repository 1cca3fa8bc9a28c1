import { servesConsole, servesDocs } from '../config/exposure';
import { isAllInOne } from '../config/roles';
import type { Settings } from '../config/settings';
import { consoleDirectory } from '../http/console/console-directory';

/** What a start has found. */
interface Started {
  url: string;
  opsUrl?: string | undefined;
  /** Of the embedded database. */
  dataDirectory?: string | undefined;
  /** The generated admin token. */
  token?: string | undefined;
  /** The one-time code of the link to the console (admin/sign-in). */
  code?: string | undefined;
}

/** The text that is printed once after the start. */
export function banner(settings: Settings, { url, opsUrl, dataDirectory, token, code }: Started): string {
  const role = isAllInOne(settings.APP_ROLE) ? 'all' : settings.APP_ROLE.join(', ');
  const broker = settings.APP_ROLE.some((name) => name !== 'api');
  const hasConsole = servesConsole(settings) && consoleDirectory() !== undefined;
  const lines = [
    `StreamForge is ready  (role: ${role})`,
    `  address    ${url}`,
    ...(opsUrl === undefined ? [] : [`  operations ${opsUrl}`]),
    ...(hasConsole
      ? [`  console    ${opsUrl ?? url}/console${code === undefined ? '' : `#code=${code}  (signs in once)`}`]
      : []),
    ...(servesDocs(settings) ? [`  docs       ${opsUrl ?? url}/docs`] : []),
    `  postgres   ${dataDirectory ? `embedded, data in ${dataDirectory}` : 'DATABASE_URL'}`,
    `  redis      ${settings.REDIS_URL ? 'REDIS_URL' : 'none: cache in this process'}`,
    ...(broker ? [`  rabbitmq   ${settings.RABBITMQ_URL ? 'RABBITMQ_URL' : 'none: broker in this process'}`] : []),
    ...(token === undefined
      ? []
      : [`  admin      X-Admin-Token: ${token}  (generated; set ADMIN_TOKEN to choose your own)`]),
  ];
  return `\n${lines.join('\n')}\n\n`;
}
