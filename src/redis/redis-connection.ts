import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { replaceWhenSilent } from './replace-when-silent';

const KEEP_ALIVE_MS = 10_000;

/**
 * Opens a connection whose commands fail fast: they are not queued while disconnected, and each has a deadline of
 * 250 ms. Every user of this connection can do without Redis for a while. It reconnects for ever, after waits of up to
 * two seconds, and replaces a connection on which nothing arrives for three seconds.
 */
export function connectRedis(url: string, name: string): Redis {
  const redis = new Redis(url, {
    connectionName: `streamforge-${name}`, // Redis rejects names with spaces, and ioredis hides that error
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    keepAlive: KEEP_ALIVE_MS,
    commandTimeout: 250,
    retryStrategy: (tries) => Math.min(100 * tries, 2_000),
  });
  const logger = new Logger('Redis');
  let up = false;
  redis.on('ready', () => {
    up = true;
    logger.log(`${name}: connected`);
  });
  // Emitted for every failed reconnect. Only the first one of an outage is logged.
  redis.on('error', (error: Error) => {
    if (up) logger.warn(`${name}: connection lost, reconnecting: ${error.message}`);
    up = false;
  });
  replaceWhenSilent(redis);
  return redis;
}
