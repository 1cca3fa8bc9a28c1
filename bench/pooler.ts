import type * as Poolers from '../test/support/processes/pgbouncer.js';
import type { BenchServer } from '#bench/databases';
import { ndjsonOf, posts, streams } from '#bench/figures';
import { forSeconds } from '#bench/load';
import type { Measurement } from '#bench/measurement';
import type { BenchOptions } from '#bench/options';
import type { ServerProcess } from '#bench/processes';
import { shownRatio } from '#bench/ratios';
import { shown } from '#bench/statistics';
import { startApi } from '#bench/streamforge';
import { startersOfTests } from '#bench/test-servers';

const WARM_UP_SECONDS = 2;
/** The rate through PgBouncer, of the rate without it. */
const LEAST_RATIO = 0.8;

const LOADS = ['post', 'ndjson'] as const;
type LoadName = (typeof LOADS)[number];
const SIDES = ['direct', 'pooled'] as const;
type SideName = (typeof SIDES)[number];

/** One measurement per round for each load and side. */
export type PoolerResult = Record<LoadName, Record<SideName, Measurement[]>>;

/** Two api processes, one behind PgBouncer in transaction mode. They take turns, and their order changes each round. */
export async function measurePooler(
  postgres: BenchServer,
  { rounds, seconds }: Pick<BenchOptions, 'rounds' | 'seconds'>,
  atEnd: (step: () => Promise<void>) => void,
): Promise<PoolerResult> {
  const urls = {
    direct: await postgres.createDatabase('pooler_direct'),
    pooled: await postgres.createDatabase('pooler_pooled'),
  };
  const { PgBouncer } = await startersOfTests<typeof Poolers>('pgbouncer');
  const pooler = await PgBouncer.start('transaction', {}, urls.pooled);
  atEnd(() => pooler.stop());
  const serve = async (DATABASE_URL: string): Promise<ServerProcess> => {
    const server = await startApi('ours', { DATABASE_URL });
    atEnd(() => server.stop());
    return server;
  };
  const servers = { direct: await serve(urls.direct), pooled: await serve(pooler.urlOf(urls.pooled)) };
  const none = (): Record<SideName, Measurement[]> => ({ direct: [], pooled: [] });
  const result: PoolerResult = { post: none(), ndjson: none() };
  for (let n = 0; n <= rounds; n++) {
    await postgres.empty();
    for (const load of LOADS) {
      for (const side of n % 2 === 0 ? SIDES : SIDES.toReversed()) {
        const measured = await measure(load, servers[side], n, n === 0 ? WARM_UP_SECONDS : seconds);
        if (n > 0) result[load][side].push(measured);
      }
    }
  }
  return result;
}

function measure(load: LoadName, server: ServerProcess, round: number, seconds: number): Promise<Measurement> {
  const source = { type: 'order.paid', run: `${load}${round}` };
  if (load === 'post') return posts({ source, seconds }, server);
  const next = forSeconds(seconds, (n) => ndjsonOf(source, n));
  return streams(server, next, 'accepted');
}

/** The lines of a report, and whether every ratio is high enough. */
export function poolerReport(result: PoolerResult): { text: string; holds: boolean } {
  const parts = LOADS.map((load) => {
    const [direct, pooled] = SIDES.map((side) => result[load][side].map(({ perSecond }) => perSecond));
    const values = pooled?.map((rate, i) => rate / (direct?.[i] ?? Number.NaN)) ?? [];
    const { text, holds } = shownRatio(`${load} through PgBouncer / without`, values, LEAST_RATIO);
    const rates = `${load}: ${shown(direct ?? [], 0)} events/s, through PgBouncer ${shown(pooled ?? [], 0)}`;
    return { text: `${rates}\n${text}\n`, holds };
  });
  return { text: parts.map(({ text }) => text).join(''), holds: parts.every(({ holds }) => holds) };
}
