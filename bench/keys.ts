import { Client } from 'pg';
import type * as Credential from '../src/access/identity/credential.js';
import { compiled } from '#bench/compiled';
import type { BenchServer } from '#bench/databases';
import { ndjsonOf, posts, streams, type Caller } from '#bench/figures';
import { forSeconds } from '#bench/load';
import type { Measurement } from '#bench/measurement';
import type { BenchOptions } from '#bench/options';
import type { ServerProcess } from '#bench/processes';
import { shown } from '#bench/statistics';
import { startApi } from '#bench/streamforge';

const { mintCredential } = compiled<typeof Credential>('access/identity/credential');

const WARM_UP_SECONDS = 2;
const LOADS = ['post', 'ndjson'] as const;
type LoadName = (typeof LOADS)[number];

/** The same application, which finds the tenant in a header, or by one of so many live keys. */
const SIDES = [
  { name: 'header', liveKeys: 0 },
  { name: 'key', liveKeys: 1 },
  { name: 'key of 10,000', liveKeys: 10_000 },
] as const;
type SideName = (typeof SIDES)[number]['name'];

/** Two sides, and the maximum ratio of the CPU time of the first to the second. */
const RATIOS: readonly [SideName, SideName, number][] = [
  ['key', 'header', 1.03],
  ['key of 10,000', 'key', 1.03],
];

/** One measurement per round for each side. */
export type KeysResult = Record<LoadName, Record<SideName, Measurement[]>>;

interface Side {
  name: SideName;
  server: ServerProcess;
  caller: Caller;
}

/** All sides take turns within a round. Each round starts with another side. */
export async function measureKeys(
  postgres: BenchServer,
  { rounds, seconds }: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
): Promise<KeysResult> {
  const sides: Side[] = [];
  for (const { name, liveKeys } of SIDES) {
    const DATABASE_URL = await postgres.createDatabase(`keys${liveKeys}`);
    const caller = liveKeys === 0 ? { 'X-Tenant-Id': 'keys' } : await fillKeys(DATABASE_URL, liveKeys);
    const server = await startApi('ours', { DATABASE_URL, TENANT_AUTH: liveKeys === 0 ? 'header' : 'key' });
    atEnd(() => server.stop());
    sides.push({ name, server, caller });
  }
  const none = (): Record<SideName, Measurement[]> => ({ header: [], key: [], 'key of 10,000': [] });
  const result: KeysResult = { post: none(), ndjson: none() };
  for (let round = 0; round <= rounds; round++) {
    await postgres.empty();
    for (const load of LOADS) {
      for (let turn = 0; turn < sides.length; turn++) {
        const side = sides[(turn + round) % sides.length] as Side;
        const measured = await measure(load, side, round, round === 0 ? WARM_UP_SECONDS : seconds);
        if (round > 0) result[load][side.name].push(measured);
      }
    }
  }
  return result;
}

function measure(load: LoadName, { server, caller }: Side, round: number, seconds: number): Promise<Measurement> {
  const source = { type: 'order.paid', run: `${load}${round}` };
  if (load === 'post') return posts({ source, seconds }, server, caller);
  const next = forSeconds(seconds, (n) => ndjsonOf(source, n, caller));
  return streams(server, next, 'accepted');
}

/** Stores so many live keys of twenty tenants and returns one of them as a header. */
async function fillKeys(databaseUrl: string, liveKeys: number): Promise<Caller> {
  const minted = Array.from({ length: liveKeys }, () => mintCredential('sfk'));
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `insert into api_keys (id, tenant_id, name, digest, scopes, created_by)
       select id, 'keys-' || n % 20, 'key ' || n, digest, '{ingest,read}', 'bench'
         from unnest($1::text[], $2::bytea[]) with ordinality as minted (id, digest, n)`,
      [minted.map(({ id }) => id), minted.map(({ digest }) => digest)],
    );
  } finally {
    await client.end();
  }
  return { Authorization: `Bearer ${minted[liveKeys >> 1]?.text}` };
}

export function keysReport(result: KeysResult): string {
  const lines = LOADS.flatMap((load) => {
    const sides = result[load];
    const cpu = (side: SideName): number[] => sides[side].map(({ cpuUs }) => cpuUs ?? Number.NaN);
    const figures = SIDES.map(({ name }) => {
      const perSecond = sides[name].map((one) => one.perSecond);
      return `${load}, ${name}: ${shown(perSecond, 0)} events/s, ${shown(cpu(name), 1)} µs of CPU each`;
    });
    const ratios = RATIOS.map(([above, below, most]) => {
      const ofBelow = cpu(below);
      const ratio = cpu(above).map((one, i) => one / (ofBelow[i] as number));
      return `${load}, ${above} / ${below}: ${shown(ratio, 3)} of the CPU (wanted <= ${most})`;
    });
    return [...figures, ...ratios];
  });
  return `${lines.join('\n')}\n`;
}
