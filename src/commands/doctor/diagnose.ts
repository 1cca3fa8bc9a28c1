import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { checkOidc } from './check-oidc';
import { checkEmbedded, checkPostgres } from './check-postgres';
import { checkRabbitMq } from './check-rabbitmq';
import { checkRedis } from './check-redis';
import { checkSettings, type Env } from './check-settings';
import { ok, type Finding } from './finding';

/** Runs every check even if one finds a problem, so that the report is complete. */
export async function diagnose(env: Env): Promise<Finding[]> {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  const { settings, findings } = checkSettings({ ...file, ...env }, Object.keys(file));
  const [postgres, redis, rabbitmq, oidc] = await Promise.all([
    settings.DATABASE_URL
      ? checkPostgres(settings.DATABASE_URL, settings.DESTINATIONS_SECRET_KEY)
      : checkEmbedded(settings.STREAMFORGE_DATA_DIR, settings.DESTINATIONS_SECRET_KEY),
    checkRedis(settings.REDIS_URL),
    checkRabbitMq(settings.RABBITMQ_URL, settings.DLQ_COPY),
    checkOidc(settings.OIDC_ISSUER),
  ]);
  const node = ok('node', `${process.version}.`); // this command refuses to run on an older version
  return [node, ...findings, ...postgres, ...redis, ...rabbitmq, ...oidc];
}
