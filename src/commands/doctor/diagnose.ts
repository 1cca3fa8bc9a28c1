import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { checkEmbedded, checkPostgres } from './check-postgres';
import { checkRabbitMq } from './check-rabbitmq';
import { checkRedis } from './check-redis';
import { checkSettings, type Env } from './check-settings';
import { ok, type Finding } from './finding';

/** Goes on with the other checks when one finds a problem, so that a person sees all of them at once. */
export async function diagnose(env: Env): Promise<Finding[]> {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  const { settings, findings } = checkSettings({ ...file, ...env }, Object.keys(file));
  const [postgres, redis, rabbitmq] = await Promise.all([
    settings.DATABASE_URL ? checkPostgres(settings.DATABASE_URL) : checkEmbedded(settings.STREAMFORGE_DATA_DIR),
    checkRedis(settings.REDIS_URL),
    checkRabbitMq(settings.RABBITMQ_URL),
  ]);
  const node = ok('node', `${process.version}.`); // an older one has refused to run this command
  return [node, ...findings, ...postgres, ...redis, ...rabbitmq];
}
