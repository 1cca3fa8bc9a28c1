import { Redis } from 'ioredis';

const READ: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  set: (redis, key) => redis.smembers(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  zset: (redis, key) => redis.zrange(key, 0, -1),
};

/** Returns the names and values of all keys in the Redis of the tests as one text. */
export async function textOfRedis(url: string): Promise<string> {
  const redis = new Redis(url);
  const texts: string[] = [];
  try {
    for await (const keys of redis.scanStream({ count: 1_000 })) {
      for (const key of keys as string[]) {
        const type = await redis.type(key);
        if (type === 'none') continue; // it has expired meanwhile
        const read = READ[type];
        if (!read) throw new Error(`no test reads keys of the type ${type}`);
        texts.push(key, JSON.stringify(await read(redis, key)));
      }
    }
  } finally {
    redis.disconnect();
  }
  return texts.join('\n');
}
