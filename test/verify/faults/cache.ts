import { Redis } from 'ioredis';
import { SeededRandom } from '../load/random';
import type { Journal } from '../run/journal';

const FACTS = 'streamforge:*:key:*';
const MOST = 10;
const GARBAGE = ['{}', '[]', '"x"', 'null', '{"id":1}', '{"id":', 'not JSON', '0'];

/** Overwrites some cached facts with garbage and swaps others. The journal keeps the ids of their events. */
export async function forgeFacts(redisUrl: string, seed: number, journal: Journal): Promise<void> {
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
    const forged = chosen.map((_, i) => (i < MOST ? random.pick(GARBAGE) : (facts[i ^ 1] ?? facts[i] ?? '{}')));
    journal.append({ kind: 'forged', ids: facts.flatMap((fact) => idIn(fact)) });
    for (const [i, key] of chosen.entries()) await redis.set(key, forged[i] as string, 'KEEPTTL');
  } catch (error) {
    if (!/connect|closed|timed out|ECONN|retries|LOADING/i.test(String(error))) throw error;
  } finally {
    redis.disconnect();
  }
}

function idIn(fact: string | null): string[] {
  try {
    const { id } = JSON.parse(fact ?? '{}') as { id?: unknown };
    return typeof id === 'string' ? [id] : [];
  } catch {
    return []; // forged before
  }
}
