import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';

/**
 * Opens a connection whose commands fail fast: they are not queued while disconnected, and each has a deadline of
 * 250 ms. Every user of this connection can do without Redis for a while. It reconnects for ever, after waits of up to
 * two seconds.
 */
export function connectRedis(url: string, name: string): Redis {
  const redis = new Redis(url, {
    connectionName: `streamforge-${name}`, // Redis rejects names with spaces, and ioredis hides that error
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
  // Emitted for every failed reconnect. Only the first one of an outage is logged.
  redis.on('error', (error: Error) => {
    if (up) logger.warn(`${name}: connection lost, reconnecting: ${error.message}`);
    up = false;
  });
  return redis;
}
