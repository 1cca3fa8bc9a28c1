import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchServer } from '#bench/databases';
import { boundLine } from '#bench/deliveries/bounds';
import { measureClaims, type Claim } from '#bench/deliveries/claims';
import { DELIVERY_SETTINGS } from '#bench/deliveries/gateway';
import { fillRetrying, openCopy, prepareDestinations, settleDown } from '#bench/deliveries/retrying-database';
import type { RetryingDatabase } from '#bench/deliveries/retrying-database';
import { preciseCpuUs, SessionsCpu } from '#bench/deliveries/server-cpu';
import type { ServerProcess } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { shown } from '#bench/statistics';
import { startRole } from '#bench/streamforge';

const DELIVERIES = 1_000_000;
const WARM_UP_SECONDS = 10;
const SLICE_SECONDS = 10;
/** A thousandth of a core. */
const MOST_MORE_MS = 1;
const MOST_RATIO = 1.3;

/** CPU time of an idle worker and of its PostgreSQL sessions, in ms for each second. */
interface Idle {
  workerMs: number;
  postgresMs: number;
}

interface Pair<T> {
  empty: T;
  million: T;
}

export interface RetryingResult {
  idle: Pair<Idle>[];
  claims: Pair<Claim>[];
}

/**
 * Two idle workers run at the same time: one on an empty queue, one on a queue with a million RETRYING deliveries to 50
 * destinations whose circuits are open. Then each database gets deliveries of a healthy destination, and claims of these
 * take turns.
 */
export async function measureRetrying(
  postgres: BenchServer,
  rabbit: BenchRabbit,
  rounds: number,
  progress: (text: string) => void,
): Promise<RetryingResult> {
  const prepared = await prepareDestinations(postgres);
  const empty = await openCopy(postgres, 'retrying_none', prepared);
  const million = await openCopy(postgres, 'retrying_million', prepared);
  const both = { empty, million };
  try {
    progress(`retrying: inserting ${DELIVERIES} deliveries`);
    await fillRetrying(million, DELIVERIES);
    for (const database of [empty, million]) await settleDown(database);
    progress('retrying: idle workers');
    const idle = await withWorkers(both, rabbit, (workers) => measureIdle(both, workers, rounds));
    progress('retrying: claims');
    return { idle, claims: await measureClaims(both, rounds) };
  } finally {
    for (const { client } of [empty, million]) await client.end();
  }
}

async function withWorkers<T>(
  { empty, million }: Pair<RetryingDatabase>,
  rabbit: BenchRabbit,
  work: (workers: Pair<ServerProcess>) => Promise<T>,
): Promise<T> {
  const withWorker = <R>({ url }: RetryingDatabase, use: (worker: ServerProcess) => Promise<R>): Promise<R> =>
    rabbit.withVirtualHost(async (RABBITMQ_URL) => {
      const worker = await startRole('worker', { DATABASE_URL: url, RABBITMQ_URL, ...DELIVERY_SETTINGS });
      try {
        return await use(worker);
      } finally {
        await worker.stop();
      }
    });
  return withWorker(empty, (first) => withWorker(million, (second) => work({ empty: first, million: second })));
}

async function measureIdle(
  databases: Pair<RetryingDatabase>,
  workers: Pair<ServerProcess>,
  rounds: number,
): Promise<Pair<Idle>[]> {
  const meters = {
    empty: meter(databases.empty, workers.empty),
    million: meter(databases.million, workers.million),
  };
  const slice = async (seconds: number): Promise<Pair<Idle>> => {
    const before = { empty: await meters.empty(), million: await meters.million() };
    for (let second = 0; second < seconds; second++) {
      await sleep(1_000);
      await meters.empty(); // sessions end after ten idle seconds
      await meters.million();
    }
    return {
      empty: perSecond(before.empty, await meters.empty(), seconds),
      million: perSecond(before.million, await meters.million(), seconds),
    };
  };
  await slice(WARM_UP_SECONDS);
  const measured: Pair<Idle>[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await slice(SLICE_SECONDS));
  return measured;
}

function meter({ client, url }: RetryingDatabase, worker: ServerProcess): () => Promise<Idle> {
  const sessions = new SessionsCpu(client, url);
  return async () => ({
    workerMs: preciseCpuUs(worker.child.pid) / 1_000,
    postgresMs: (await sessions.read()) / 1_000,
  });
}

function perSecond(before: Idle, after: Idle, seconds: number): Idle {
  return {
    workerMs: (after.workerMs - before.workerMs) / seconds,
    postgresMs: (after.postgresMs - before.postgresMs) / seconds,
  };
}

export function retryingReport({ idle, claims }: RetryingResult): string {
  const idleLine = (what: string, of: readonly Idle[]): string =>
    `${what}: worker ${shown(
      of.map(({ workerMs }) => workerMs),
      1,
    )}, its PostgreSQL sessions ${shown(
      of.map(({ postgresMs }) => postgresMs),
      1,
    )} ms of CPU per second\n`;
  const claimLine = (what: string, of: readonly Claim[]): string =>
    `${what}: ${shown(
      of.map(({ ms }) => ms),
      2,
    )} ms, ${shown(
      of.map(({ buffers }) => buffers),
      0,
    )} buffers per claim\n`;
  const more = idle.map(({ empty, million }) => sum(million) - sum(empty));
  const ratios = (of: (claim: Claim) => number): number[] =>
    claims.map(({ empty, million }) => of(million) / of(empty));
  return (
    idleLine(
      'retrying, idle on an empty queue',
      idle.map(({ empty }) => empty),
    ) +
    idleLine(
      `  on ${DELIVERIES} RETRYING deliveries`,
      idle.map(({ million }) => million),
    ) +
    boundLine({ what: 'CPU ms per second more than on an empty queue', values: more, most: MOST_MORE_MS, digits: 1 }) +
    claimLine(
      'claims of a healthy destination, no others queued',
      claims.map(({ empty }) => empty),
    ) +
    claimLine(
      `  beside ${DELIVERIES} RETRYING deliveries`,
      claims.map(({ million }) => million),
    ) +
    boundLine({
      what: 'time per claim / without others',
      values: ratios(({ ms }) => ms),
      most: MOST_RATIO,
      digits: 2,
    }) +
    boundLine({
      what: 'buffers per claim / without others',
      values: ratios(({ buffers }) => buffers),
      most: MOST_RATIO,
      digits: 2,
    })
  );
}

const sum = ({ workerMs, postgresMs }: Idle): number => workerMs + postgresMs;
