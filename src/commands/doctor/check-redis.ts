import { Redis } from 'ioredis';
import { advice, isAtLeast, ok, problem, type Finding } from '../../db/condition/finding';

const LEAST_REDIS = '6.2';
const REDIS_WITHIN_MS = 3_000;

export async function checkRedis(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [ok('redis', 'none, the cache is in the process.')];
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: REDIS_WITHIN_MS,
    commandTimeout: REDIS_WITHIN_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let cause = '';
  redis.on('error', (error: Error) => (cause = error.message));
  try {
    await redis.connect();
    const info = await redis.info();
    await redis.set('streamforge:doctor', '1', 'EX', 5);
    return assessRedis(info);
  } catch (error) {
    const why = cause || (error instanceof Error ? error.message : String(error));
    return [problem('redis', `Redis cannot be used (${why}): start it, or correct address and password in REDIS_URL.`)];
  } finally {
    redis.disconnect();
  }
}

/** @param info the reply to INFO */
export function assessRedis(info: string): Finding[] {
  const value = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = value('valkey_version') || value('redis_version');
  if (!isAtLeast(version, LEAST_REDIS)) {
    return [problem('redis', `version ${version} is older than ${LEAST_REDIS}: upgrade it.`)];
  }
  if (Number(value('maxmemory')) > 0 && value('maxmemory_policy') === 'noeviction') {
    return [
      advice(
        'redis',
        'it refuses writes when it is full: set maxmemory-policy to allkeys-lru, since Redis is only a cache here.',
      ),
    ];
  }
  return [ok('redis', `version ${version}, accepts writes.`)];
}
