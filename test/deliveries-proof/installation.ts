import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryResultRow } from 'pg';
import { createTestVhost, type TestVhost } from '../support/broker/rabbit';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { freePort } from '../support/processes/free-port';
import { RoleProcess } from '../support/processes/role-process';
import { givenDestination, type DestinationResponse } from '../support/receivers/destinations';
import { CountingReceiver, type Answer, type Arrivals } from './arrivals';

const PROCESSES = [
  { name: 'front-1', role: 'api,publisher' },
  { name: 'worker-1', role: 'worker' },
  { name: 'worker-2', role: 'worker' },
];
/** Every process applies a change to a destination within half a second. */
const HEEDED_MS = 600;

/** A destination of a run, and what its receiver got. */
export interface ReceivingDestination {
  id: string;
  arrivals: Arrivals;
}

/** Three processes with default settings, a database of their own, and a receiver for their destinations. */
export class Installation {
  readonly crashes: string[] = [];
  private readonly processes: RoleProcess[] = [];

  private constructor(
    private readonly database: TestDatabase,
    private readonly vhost: TestVhost,
    private readonly receiver: CountingReceiver,
  ) {}

  static async start(): Promise<Installation> {
    const installation = new Installation(
      await createTestDatabase(),
      await createTestVhost(),
      await CountingReceiver.start(),
    );
    try {
      await installation.startProcesses();
      return installation;
    } catch (error) {
      await installation.stop();
      throw error;
    }
  }

  get url(): string {
    return (this.processes[0] as RoleProcess).url;
  }

  get workers(): RoleProcess[] {
    return this.processes.filter(({ role }) => role === 'worker');
  }

  /** Registers a destination, and waits until every worker knows it. */
  async destination(
    tenantId: string,
    name: string,
    { answer, ...request }: { answer?: (nowMs: number) => Answer } & Record<string, unknown> = {},
  ): Promise<ReceivingDestination> {
    const { url, arrivals } = this.receiver.add(`${tenantId}/${name}`, answer);
    const made: DestinationResponse = await givenDestination(this.url, { tenantId, url, ...request });
    await sleep(HEEDED_MS);
    return { id: made.id, arrivals };
  }

  async rows<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.database.pool.query<Row>(sql, values)).rows;
  }

  /** Kills what still runs, and drops everything. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.map((running) => running.kill()));
    await this.receiver.stop();
    await this.vhost.drop();
    await this.database.drop();
  }

  /** Leaves no process behind where the run ends before its time. */
  private killAtExit(): void {
    process.once('exit', () => {
      for (const { pid } of this.processes) if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
  }

  private async startProcesses(): Promise<void> {
    this.killAtExit();
    const env = {
      DATABASE_URL: this.database.url,
      REDIS_URL: process.env.TEST_REDIS_URL as string,
      RABBITMQ_URL: this.vhost.url,
      DESTINATIONS_ALLOW_PRIVATE: 'true',
    };
    const onCrash = (name: string, output: string): void => void this.crashes.push(`${name}: ${output}`);
    for (const { name, role } of PROCESSES) {
      const started = new RoleProcess(name, await freePort(), { ...env, APP_ROLE: role }, onCrash);
      this.processes.push(started);
      await started.startAgain(); // all at once starve each other on a small machine
    }
  }
}
