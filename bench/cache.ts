import { otherBuild, ownBuild } from '#bench/against/build';
import { compared, comparisonTable, type Comparison, type Pair } from '#bench/against/comparison';
import { Side } from '#bench/against/side';
import type { BenchServer } from '#bench/databases';
import { posts, samePosts } from '#bench/figures';
import type { Measurement } from '#bench/measurement';
import type { BenchOptions } from '#bench/options';
import type { ServerProcess } from '#bench/processes';
import { BenchRedis } from '#bench/redis';
import { shownRatio } from '#bench/ratios';
import { shown } from '#bench/statistics';
import { startApi } from '#bench/streamforge';

const WARM_UP_SECONDS = 2;
/** POST with Redis, of the rate without. */
const LEAST_OF_UNCACHED = 0.95;
/** Duplicates that Redis knows, of the rate of new events. */
const LEAST_OF_NEW = 1;
/** POST with Redis, of the rate of the build in which each event travelled to Redis by itself. */
const LEAST_OF_OLD = 1.5;

/** Single events per second. */
interface Round {
  redis: Measurement;
  duplicates: Measurement;
  without: Measurement;
}
export type CacheResult = Round[];

type AtEnd = (step: () => Promise<void>) => void;

/** Single events with Redis, the same ones again, and single events with the cache of the process. All take turns. */
export async function measureCache(
  postgres: BenchServer,
  { rounds, seconds }: Pick<BenchOptions, 'rounds' | 'seconds'>,
  atEnd: AtEnd,
): Promise<CacheResult> {
  const redis = await BenchRedis.start();
  atEnd(() => redis.stop());
  const serve = async (name: string, REDIS_URL: string): Promise<ServerProcess> => {
    const server = await startApi('ours', { DATABASE_URL: await postgres.createDatabase(name), REDIS_URL });
    atEnd(() => server.stop());
    return server;
  };
  const [cached, uncached] = [await serve('cache_redis', redis.url), await serve('cache_none', '')];
  const result: CacheResult = [];
  for (let n = 0; n <= rounds; n++) {
    await postgres.empty();
    const load = { source: { type: 'order.paid', run: `c${n}` }, seconds: n === 0 ? WARM_UP_SECONDS : seconds };
    const withRedis = async (): Promise<Omit<Round, 'without'>> => {
      const fresh = await posts(load, cached);
      return { redis: fresh, duplicates: await samePosts({ ...load, sent: fresh.requests }, cached) };
    };
    const round =
      n % 2 === 0
        ? { ...(await withRedis()), without: await posts(load, uncached) }
        : { without: await posts(load, uncached), ...(await withRedis()) };
    if (n > 0) result.push(round);
  }
  return result;
}

/** The lines of a report, and whether every ratio is high enough. */
export function cacheReport(rounds: CacheResult): { text: string; holds: boolean } {
  const rates = (figure: keyof Round): number[] => rounds.map((round) => round[figure].perSecond);
  const ratio = (above: keyof Round, below: keyof Round): number[] =>
    rounds.map((round) => round[above].perSecond / round[below].perSecond);
  const ratios = [
    shownRatio('post with Redis / without', ratio('redis', 'without'), LEAST_OF_UNCACHED),
    shownRatio('duplicates / new events, with Redis', ratio('duplicates', 'redis'), LEAST_OF_NEW),
  ];
  const lines = [
    `post, Redis: ${shown(rates('redis'), 0)} events/s`,
    `post, Redis, duplicates: ${shown(rates('duplicates'), 0)}`,
    `post, no Redis: ${shown(rates('without'), 0)}`,
    ...ratios.map(({ text }) => text),
  ];
  return { text: `${lines.join('\n')}\n`, holds: ratios.every(({ holds }) => holds) };
}

/** POST with Redis on this build and on another one, in turns. */
export async function compareWithRedis(
  postgres: BenchServer,
  { rounds, seconds, against }: BenchOptions & { against: string },
  atEnd: AtEnd,
): Promise<{ rounds: Pair[]; comparison: Comparison; text: string; holds: boolean }> {
  const redis = await BenchRedis.start();
  atEnd(() => redis.stop());
  const sides = {
    old: await Side.create('cache_old', otherBuild(against), postgres),
    new: await Side.create('cache_new', ownBuild(), postgres),
  };
  const pairs: Pair[] = [];
  for (let n = 0; n <= rounds; n++) {
    const pair: Pair = { old: Number.NaN, new: Number.NaN };
    for (const side of n % 2 === 0 ? (['new', 'old'] as const) : (['old', 'new'] as const)) {
      pair[side] = await sides[side].single(n === 0 ? Math.min(1, seconds) : seconds, { REDIS_URL: redis.url });
    }
    if (n > 0) pairs.push(pair);
  }
  const comparison = compared(pairs, LEAST_OF_OLD);
  const text = comparisonTable(new Map([['post with Redis', comparison]]), LEAST_OF_OLD);
  return { rounds: pairs, comparison, text, holds: comparison.holds };
}
