import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Settings } from '../../config/settings';
import { databaseUrlOf } from '../../runtime/open-database';
import { checkOidc } from './check-oidc';
import { checkEmbedded, checkPostgres } from './check-postgres';
import { checkProxy } from './check-proxy';
import { checkRabbitMq } from './check-rabbitmq';
import { checkRedis } from './check-redis';
import { checkSettings, type Env } from './check-settings';
import { ok, problem, type Finding } from '../../db/condition/finding';

/** With the password of DATABASE_PASSWORD_FILE. */
function checkDatabase(settings: Settings): Promise<Finding[]> {
  const { DATABASE_URL: url, STREAMFORGE_DATA_DIR } = settings;
  if (url === undefined) return checkEmbedded(STREAMFORGE_DATA_DIR, settings);
  try {
    return checkPostgres(databaseUrlOf(url, settings), settings);
  } catch (error) {
    return Promise.resolve([problem('postgres', (error as Error).message)]);
  }
}

/** Runs every check even if one finds a problem, so that the report is complete. */
export async function diagnose(env: Env): Promise<Finding[]> {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  const { settings, findings } = checkSettings({ ...file, ...env }, Object.keys(file));
  const [postgres, redis, rabbitmq, ...others] = await Promise.all([
    checkDatabase(settings),
    checkRedis(settings.REDIS_URL),
    checkRabbitMq(settings.RABBITMQ_URL, {
      deadLetterCopies: settings.DLQ_COPY,
      namespace: settings.BROKER_NAMESPACE,
    }),
    checkOidc(settings.OIDC_ISSUER),
    checkProxy(settings.DESTINATIONS_PROXY_URL),
  ]);
  const node = ok('node', `${process.version}.`); // this command refuses to run on an older version
  return [node, ...findings, ...postgres, ...redis, ...rabbitmq, ...others.flat()];
}
