import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OwnServer, redisCommand, rowsOf } from '../support/processes/e2e-own-servers';
import { closeConnections, messagesIn, purgeQueue } from '../support/broker/e2e-rabbit';
import { eventually } from '../support/eventually';
import { freePort } from '../support/processes/free-port';
import type { Killable } from '../support/processes/process-tree';
import { RoleProcess } from '../support/processes/role-process';
import { startRabbitMq, type RabbitMqServer } from '../support/processes/servers';
import { ROLE_PROCESSES, type TargetName } from './faults';

const DEFAULT_VHOST = '%2F'; // one of our own would not survive a wiped disk
const QUEUES = ['events.main', 'events.retry'];
const SERVER_BACK_WITHIN_MS = 30_000;

const CUT_ALL = `select pg_terminate_backend(pid) from pg_stat_activity
                  where backend_type = 'client backend' and pid <> pg_backend_pid()`;

/** Short leases and waits, so that what has to happen after a failure happens within the run. */
const QUICK = {
  OUTBOX_BATCH_SIZE: '50',
  OUTBOX_INFLIGHT_LEASE_SECONDS: '2',
  PUBLISH_TIMEOUT_MS: '1000',
  RECONCILE_AFTER_SECONDS: '2',
  RABBITMQ_PREFETCH: '20',
  WORKER_BATCH_SIZE: '20',
  RETRY_BACKOFF_MS: '200,500,1000',
  // A destination that fails now and then, and workers that are stopped in the middle of a call, never use them up.
  MAX_RETRY_ATTEMPTS: '50',
  DESTINATIONS_ALLOW_PRIVATE: 'true',
};

/** Private servers and the processes of all roles, as in production, each of which can be made to fail. */
export class Landscape {
  private constructor(
    private readonly postgres: OwnServer,
    private readonly redis: OwnServer,
    private readonly rabbit: RabbitMqServer,
    private readonly processes: readonly RoleProcess[],
  ) {}

  /** @param directory for what RabbitMQ writes. */
  static async start(directory: string, onCrash: (process: string, output: string) => void): Promise<Landscape> {
    const settled = await Promise.allSettled([OwnServer.postgres(), OwnServer.redis(), startRabbitMq(directory)]);
    const [postgres, redis, rabbit] = settled.map((result) =>
      result.status === 'fulfilled' ? result.value : undefined,
    ) as [OwnServer | undefined, OwnServer | undefined, RabbitMqServer | undefined];
    if (!postgres || !redis || !rabbit) {
      await Promise.all([postgres?.stop(), redis?.stop(), rabbit?.stop()]);
      throw new Error(settled.flatMap((r) => (r.status === 'rejected' ? [String(r.reason)] : [])).join('\n'));
    }
    const shared = {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      RABBITMQ_URL: rabbit.env.TEST_RABBITMQ_URL as string,
      ...QUICK,
    };
    const processes: RoleProcess[] = [];
    for (const name of ROLE_PROCESSES) {
      const role = name.split('-')[0] as string;
      processes.push(new RoleProcess(name, await freePort(), { ...shared, APP_ROLE: role }, onCrash));
    }
    const landscape = new Landscape(postgres, redis, rabbit, processes);
    try {
      for (const pair of [processes.slice(0, 2), processes.slice(2, 4), processes.slice(4)]) {
        await Promise.all(pair.map((one) => one.startAgain())); // all at once starve each other on a small machine
      }
    } catch (error) {
      await landscape.stop();
      throw error;
    }
    return landscape;
  }

  get databaseUrl(): string {
    return this.postgres.url;
  }

  get apis(): string[] {
    return this.processes.filter(({ name }) => name.startsWith('api')).map(({ url }) => url);
  }

  get outputs(): { name: string; output: string }[] {
    return this.processes.map(({ name, output }) => ({ name, output }));
  }

  target(name: TargetName): Killable {
    if (name === 'postgres') return this.postgres;
    if (name === 'redis') return this.redis;
    if (name === 'rabbitmq') return this.rabbit;
    return this.processes.find((one) => one.name === name) as RoleProcess;
  }

  /** From the side of PostgreSQL or RabbitMQ. */
  async cutConnections(server: TargetName): Promise<void> {
    if (server === 'rabbitmq') await closeConnections(DEFAULT_VHOST, this.management);
    else await rowsOf(this.postgres.url, CUT_ALL);
  }

  async flushRedis(): Promise<void> {
    await redisCommand(this.redis.url, 'flushall');
  }

  /** Stops the workers, and does `then` before they go on. */
  async whileWorkersStop(ms: number, then: () => Promise<void>): Promise<void> {
    const workers = this.processes.filter(({ name }) => name.startsWith('worker'));
    for (const worker of workers) worker.freeze();
    try {
      await sleep(ms);
      await then();
    } finally {
      for (const worker of workers) worker.thaw();
    }
  }

  /** Waits for queues that are not declared again yet after a wipe. */
  async purgeQueues(): Promise<void> {
    for (const queue of QUEUES) {
      await eventually(() => purgeQueue(DEFAULT_VHOST, queue, this.management), SERVER_BACK_WITHIN_MS);
    }
  }

  /** While RabbitMQ is killed. */
  wipeRabbit(): void {
    fs.rmSync(this.rabbit.dataDirectory, { recursive: true, maxRetries: 5 });
  }

  /** A queue that nobody has declared since a wipe counts too: RabbitMQ's clients are not back yet. */
  async queuedMessages(): Promise<number> {
    const counts = await Promise.all(QUEUES.map((queue) => messagesIn(DEFAULT_VHOST, queue, this.management)));
    return counts.reduce<number>((sum, count) => sum + (count ?? 1), 0);
  }

  /** Ends everything, whatever state it is in. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
    this.rabbit.thaw();
    await Promise.all([this.postgres.stop(), this.redis.stop(), this.rabbit.stop()]);
  }

  private get management(): string {
    return this.rabbit.env.TEST_RABBITMQ_MANAGEMENT_URL as string;
  }
}
