import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type * as ClaimQueries from '../../src/delivery-state/claim-deliveries.queries.js';
import type * as PoolModule from '../../src/db/pool.js';
import { compiled } from '#bench/compiled';
import { fillDue, settleDown, type RetryingDatabase } from '#bench/deliveries/retrying-database';

const { claimDeliveries, claimDeliveriesStatement, DELIVERY_CLAIM_SETTINGS } = compiled<typeof ClaimQueries>(
  'delivery-state/claim-deliveries.queries',
);
const { createPool, inTransaction } = compiled<typeof PoolModule>('db/pool');

const AT_ONCE = 16;
const CLAIMS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const LEASE_SECONDS = 600;

/** The cost of one claim of 16 deliveries. */
export interface Claim {
  ms: number;
  /** Pages that the statement read, in memory or not. */
  buffers: number;
}

interface Pair<T> {
  empty: T;
  million: T;
}

/** Claims of both databases take turns. Each claim finds more due deliveries than it may lease. */
export async function measureClaims(databases: Pair<RetryingDatabase>, rounds: number): Promise<Pair<Claim>[]> {
  const pools: Pair<Pool> = {
    empty: createPool(databases.empty.url, 'bench'),
    million: createPool(databases.million.url, 'bench'),
  };
  try {
    for (const database of [databases.empty, databases.million]) {
      await fillDue(database, AT_ONCE * (CLAIMS + 1) * (rounds + 2));
      await settleDown(database);
    }
    const id = databases.empty.healthyId;
    await round(pools, id);
    const measured: Pair<Claim>[] = [];
    for (let n = 0; n < rounds; n++) measured.push(await round(pools, id));
    return measured;
  } finally {
    await pools.empty.end();
    await pools.million.end();
  }
}

async function round(pools: Pair<Pool>, destinationId: string): Promise<Pair<Claim>> {
  const ms: Pair<number> = { empty: 0, million: 0 };
  for (let n = 0; n < CLAIMS; n++) {
    for (const side of n % 2 === 0 ? (['empty', 'million'] as const) : (['million', 'empty'] as const)) {
      ms[side] += await timedClaim(pools[side], destinationId);
    }
  }
  const claim = async (side: 'empty' | 'million'): Promise<Claim> => ({
    ms: ms[side] / CLAIMS,
    buffers: await buffersOfClaim(pools[side], destinationId),
  });
  return { empty: await claim('empty'), million: await claim('million') };
}

const requestsOf = (destinationId: string) => [{ destinationId, free: AT_ONCE, leaseSeconds: LEASE_SECONDS }];

async function timedClaim(pool: Pool, destinationId: string): Promise<number> {
  const startedMs = performance.now();
  const { deliveries } = await claimDeliveries(pool, requestsOf(destinationId), randomUUID(), MAX_BYTES);
  if (deliveries.length !== AT_ONCE) throw new Error(`A claim leased ${deliveries.length} deliveries`);
  return performance.now() - startedMs;
}

async function buffersOfClaim(pool: Pool, destinationId: string): Promise<number> {
  return inTransaction(pool, async (client) => {
    await client.query(DELIVERY_CLAIM_SETTINGS);
    const { text, values } = claimDeliveriesStatement(requestsOf(destinationId), randomUUID(), MAX_BYTES);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, buffers, format json) ${text}`,
      values,
    );
    const [{ Plan }] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '') as [{ Plan: Record<string, number> }];
    return (Plan['Shared Hit Blocks'] ?? 0) + (Plan['Shared Read Blocks'] ?? 0);
  });
}
