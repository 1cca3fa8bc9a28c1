import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';

/**
 * A connection whose commands fail fast: no queue while disconnected, no repeated tries, a deadline for each. Whoever
 * uses Redis here can do without it for a while. Reconnects for ever, at most every two seconds.
 */
export function connectRedis(url: string, name: string): Redis {
  const redis = new Redis(url, {
    connectionName: `streamforge-${name}`, // Redis refuses names with spaces, and ioredis does not tell
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 250,
    retryStrategy: (tries) => Math.min(100 * tries, 2_000),
  });
  const logger = new Logger('Redis');
  let up = false;
  redis.on('ready', () => {
    up = true;
    logger.log(`${name}: connected`);
  });
  // Emitted at every failed reconnect; one line per outage is enough.
  redis.on('error', (error: Error) => {
    if (up) logger.warn(`${name}: lost: ${error.message}`);
    up = false;
  });
  return redis;
}
