import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { SeededRandom } from '../load/random';

const FACTS = 'streamforge:*:key:*';
const MOST = 10;
const GARBAGE = ['{}', '[]', '"x"', 'null', '{"id":1}', '{"id":', 'not JSON', '0'];
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** Overwrites some cached facts with garbage or with facts of events that nobody sent, and swaps others. */
export async function forgeFacts(redisUrl: string, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: 2_000,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const [, keys] = await redis.scan('0', 'MATCH', FACTS, 'COUNT', 1_000);
    const chosen = random.shuffled(keys).slice(0, 2 * MOST);
    if (chosen.length === 0) return;
    const facts = await redis.mget(chosen);
    const forged = chosen.map((_, i) => {
      if (i >= MOST) return facts[i ^ 1] ?? facts[i] ?? '{}';
      return random.chance(0.5) ? random.pick(GARBAGE) : (facts[i] ?? '{}').replace(UUID, randomUUID());
    });
    for (const [i, key] of chosen.entries()) await redis.set(key, forged[i] as string, 'KEEPTTL');
  } catch (error) {
    if (!/connect|closed|timed out|ECONN|retries|LOADING/i.test(String(error))) throw error;
  } finally {
    redis.disconnect();
  }
}
