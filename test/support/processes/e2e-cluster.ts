import type { ChildProcess } from 'node:child_process';
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../database';
import { eventually } from '../eventually';
import { endProcess, spawnBareWorker, startProcess, type TestProcess } from './process';
import { createTestVhost, type TestVhost } from '../broker/rabbit';

export type Role = 'api' | 'publisher' | 'worker';

/** Small batches, so that a test can kill a process between two, and short leases, so that others take over soon. */
const QUICK = {
  OUTBOX_BATCH_SIZE: '20',
  OUTBOX_INFLIGHT_LEASE_SECONDS: '2',
  PUBLISH_TIMEOUT_MS: '1000',
  RECONCILE_AFTER_SECONDS: '2',
  RABBITMQ_PREFETCH: '20',
  WORKER_BATCH_SIZE: '5',
};

/** Processes of any role that share a database, a virtual host and Redis, as production has them. */
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

  /** @param root the checkout whose build runs; by default this one */
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

  /** Starts a process that only runs a worker and is therefore up sooner. Does not wait for it. */
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

  /** Kills every process that still runs, and drops the virtual host and the database. */
  async drop(): Promise<void> {
    await Promise.all(this.processes.map((running) => running.end('SIGKILL')));
    await Promise.all(this.children.map((child) => endProcess(child, 'SIGKILL')));
    await this.vhost.drop();
    await this.database.drop();
  }
}

/** Returns the number of a tenant's events by status. */
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

/** Waits until a counting query returns at least `atLeast`. Fails when it jumps to `below` or more at once. */
export async function caughtBetween(pool: Pool, sql: string, atLeast: number, below: number): Promise<void> {
  const reached = await eventually(async () => {
    const { rows } = await pool.query<{ n: number }>(sql);
    const n = (rows[0] as { n: number }).n;
    if (n < atLeast) throw new Error(`${n} of ${atLeast} so far: ${sql}`);
    return n;
  });
  expect(reached).toBeLessThan(below);
}
