import type { ChildProcess } from 'node:child_process';
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../database';
import { eventually } from '../eventually';
import { endProcess, spawnBareWorker, startProcess, type TestProcess } from './process';
import { createTestVhost, type TestVhost } from '../broker/rabbit';

export type Role = 'api' | 'publisher' | 'worker';

/** Small batches, so that there is a "middle" to kill processes in, and short leases, so that others soon take over. */
const QUICK = {
  OUTBOX_BATCH_SIZE: '20',
  OUTBOX_INFLIGHT_LEASE_SECONDS: '2',
  PUBLISH_TIMEOUT_MS: '1000',
  RECONCILE_AFTER_SECONDS: '2',
  RABBITMQ_PREFETCH: '20',
  WORKER_BATCH_SIZE: '5',
};

/** Processes of any role that share a database, a virtual host and Redis, as in production. */
export class TestCluster {
  private readonly processes: TestProcess[] = [];
  private readonly children: ChildProcess[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly vhost: TestVhost,
  ) {}

  static async create({ migrated = true } = {}): Promise<TestCluster> {
    return new TestCluster(await createTestDatabase({ migrated }), await createTestVhost());
  }

  get pool(): Pool {
    return this.database.pool;
  }

  /** @param root the checkout whose build runs; default: this one */
  async start(role: Role, env: Record<string, string> = {}, root?: string): Promise<TestProcess> {
    const settings = {
      APP_ROLE: role,
      DATABASE_URL: this.database.url,
      REDIS_URL: process.env.TEST_REDIS_URL as string,
      RABBITMQ_URL: this.vhost.url,
      ...QUICK,
      ...env,
    };
    const started = await startProcess(settings, root);
    this.processes.push(started);
    return started;
  }

  /** A process that is nothing but a worker, and is up in a fraction of the time. Does not wait for it. */
  spawnBareWorker(env: Record<string, string> = {}): ChildProcess {
    const child = spawnBareWorker({
      DATABASE_URL: this.database.url,
      REDIS_URL: process.env.TEST_REDIS_URL as string,
      RABBITMQ_URL: this.vhost.url,
      ...QUICK,
      ...env,
    });
    this.children.push(child);
    return child;
  }

  /** Ends every process that still runs, and drops what they shared. */
  async drop(): Promise<void> {
    await Promise.all(this.processes.map((running) => running.end('SIGKILL')));
    await Promise.all(this.children.map((child) => endProcess(child, 'SIGKILL')));
    await this.vhost.drop();
    await this.database.drop();
  }
}

/** How many events of a tenant have each status. */
export async function statusCounts(pool: Pool, tenant: string): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ status: string; n: number }>(
    'select status, count(*)::int as n from event_status where tenant_id = $1 group by status',
    [tenant],
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

export async function allCompleted(pool: Pool, tenant: string, count: number, timeoutMs = 30_000): Promise<void> {
  await eventually(async () => expect(await statusCounts(pool, tenant)).toEqual({ COMPLETED: count }), timeoutMs);
}

/** Resolves as soon as a counting query reaches `atLeast`; fails when it jumps to `below` or more: then it was too late. */
export async function caughtBetween(pool: Pool, sql: string, atLeast: number, below: number): Promise<void> {
  const reached = await eventually(async () => {
    const { rows } = await pool.query<{ n: number }>(sql);
    const n = (rows[0] as { n: number }).n;
    if (n < atLeast) throw new Error(`${n} of ${atLeast} so far: ${sql}`);
    return n;
  });
  expect(reached).toBeLessThan(below);
}
