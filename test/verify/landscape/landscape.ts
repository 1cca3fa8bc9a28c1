import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisCommand, rowsOf } from '../../support/processes/e2e-own-servers';
import { closeConnections, purgeQueue } from '../../support/broker/e2e-rabbit';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import type { Killable } from '../../support/processes/process-tree';
import { RoleProcess } from '../../support/processes/role-process';
import { ROLE_PROCESSES, type ServerName, type TargetName } from '../faults/schedule';
import type { Journal } from '../run/journal';
import { ofTheRun } from '../run/inconclusive';
import { addSources } from './add-sources';
import { Network } from './network';
import { addPast } from './past';
import { addPoison } from './poison';
import { scrape } from './scrape';
import { bringBack, startServers, stopServers, type Servers } from './servers';
import { GRACE_MS } from './settings';
import { Standby } from './standby';

const DEFAULT_VHOST = '%2F'; // one of our own would not survive a wiped disk
const QUEUES = ['events.main', 'events.retry', 'events.bundles'];
const SERVER_BACK_WITHIN_MS = 30_000;
/** A process ends itself after its grace period. */
const KILLED_AFTER_MS = GRACE_MS + 5_000;

const LEASES = `select extract(epoch from lock_acquired_at) * 1000 as ms from outbox
                 where closed_at is null and status = 'IN_FLIGHT'`;

interface Directories {
  /** TMPDIR of the processes. */
  temporary: string;
  /** SPILL_DIRECTORY of the processes. */
  spill: string;
}

/** Private servers and two processes of each role. Each of them can be made to fail. */
export class Landscape {
  private standby: Standby | undefined;
  /** Processes of another installation. */
  private readonly strangers: RoleProcess[] = [];
  private readonly onCrash = (process: string, output: string): void =>
    this.journal.append({ kind: 'crashed', process, output });

  private constructor(
    private readonly servers: Servers,
    readonly network: Network,
    readonly processes: readonly RoleProcess[],
    private readonly directories: Directories,
    private readonly journal: Journal,
  ) {}

  /** @param directory for files of the servers and processes @throws Inconclusive if a server does not start */
  static async start(directory: string, settings: Record<string, string>, journal: Journal): Promise<Landscape> {
    const servers = await startServers(directory);
    const network = await Network.before(servers);
    const directories = { temporary: path.join(directory, 'tmp'), spill: path.join(directory, 'spill') };
    const processes: RoleProcess[] = [];
    const landscape = new Landscape(servers, network, processes, directories, journal);
    try {
      for (const one of Object.values(directories)) fs.mkdirSync(one);
      await addPoison(landscape.databaseUrl);
      await addPast(landscape.databaseUrl);
      await addSources(landscape.databaseUrl);
      const shared = { ...settings, TMPDIR: directories.temporary, SPILL_DIRECTORY: directories.spill };
      for (const name of ROLE_PROCESSES) {
        const env = { ...shared, ...network.urlsFor(name), APP_ROLE: name.split('-')[0] as string };
        processes.push(new RoleProcess(name, await freePort(), env, landscape.onCrash));
      }
      for (const pair of [processes.slice(0, 2), processes.slice(2, 4), processes.slice(4)]) {
        await Promise.all(pair.map((one) => landscape.startProcess(one))); // all at once starve each other on a small machine
      }
      return landscape;
    } catch (error) {
      await landscape.stop();
      throw error;
    }
  }

  get databaseUrl(): string {
    return this.servers.postgres.url;
  }

  get redisUrl(): string {
    return this.servers.redis.url;
  }

  get rabbitUrl(): string {
    return this.servers.rabbitmq.env.TEST_RABBITMQ_URL as string;
  }

  get management(): string {
    return this.servers.rabbitmq.env.TEST_RABBITMQ_MANAGEMENT_URL as string;
  }

  get apis(): string[] {
    return this.processes.filter(({ role }) => role === 'api').map(({ url }) => url);
  }

  get outputs(): { name: string; output: string }[] {
    return [...this.processes, ...this.strangers].map(({ name, output }) => ({ name, output }));
  }

  freeze(name: TargetName): void {
    this.target(name).freeze();
  }

  thaw(name: TargetName): void {
    this.target(name).thaw();
  }

  async kill(name: TargetName): Promise<void> {
    await this.scrapeOf([name]);
    await this.target(name).kill();
  }

  /** @param env more variables for a process, of this start only @throws Inconclusive if a server does not start */
  async startAgain(name: TargetName, env: Record<string, string> = {}): Promise<void> {
    const target = this.target(name);
    if (target instanceof RoleProcess) await this.startProcess(target, env);
    else await bringBack(name, target);
  }

  /**
   * Sends SIGTERM to these processes at the same time and waits until they have ended.
   * @param onSignal is called when they have the signal
   */
  async terminate(names: readonly string[], onSignal = (): void => undefined): Promise<void> {
    const { journal } = this;
    await this.scrapeOf(names);
    const ending = this.processes.filter(({ name }) => names.includes(name));
    const ended = ending.map(async (process) => {
      const end = await process.terminate(KILLED_AFTER_MS);
      if (end) journal.append({ kind: 'ended', process: process.name, ...end });
    });
    onSignal();
    await Promise.all(ended);
    const publishers = this.processes.filter(({ role }) => role === 'publisher');
    if (ending.some(({ role }) => role === 'publisher') && publishers.every(({ pid }) => pid === undefined)) {
      await this.lookForLeases();
    }
  }

  /** Keeps the metrics of these processes in the journal. */
  async scrapeOf(names: readonly string[]): Promise<void> {
    const asked = this.processes.filter(({ name }) => names.includes(name));
    await Promise.all(
      asked.map(async ({ name, url, pid }) => {
        const values = pid === undefined ? undefined : await scrape(url);
        if (values && pid !== undefined) this.journal.append({ kind: 'scraped', process: name, pid, values });
      }),
    );
  }

  async cutRabbit(): Promise<void> {
    await closeConnections(DEFAULT_VHOST, this.management).catch((error: unknown) => {
      if (!(error instanceof TypeError)) throw error; // fetch failed: it is down by another fault
    });
  }

  async flushRedis(): Promise<void> {
    await ofTheRun('flushing Redis', () => eventually(() => redisCommand(this.redisUrl, 'flushall')));
  }

  /** Freezes the workers for `ms`, then runs `then` before they continue. */
  async whileWorkersStop(ms: number, then: () => Promise<void>): Promise<void> {
    const workers = this.processes.filter(({ role }) => role === 'worker');
    for (const worker of workers) worker.freeze();
    try {
      await sleep(ms);
      await then();
    } finally {
      for (const worker of workers) worker.thaw();
    }
  }

  /** Waits for queues that are not declared yet after a wipe. @throws Inconclusive */
  async purgeQueues(): Promise<void> {
    for (const queue of QUEUES) {
      const purge = () => purgeQueue(DEFAULT_VHOST, queue, this.management);
      await ofTheRun('purging a queue', () => eventually(purge, SERVER_BACK_WITHIN_MS));
    }
  }

  /** Until `mountSpill`, a file stands in the place of SPILL_DIRECTORY, so that nobody can make a file there, not even root. */
  unmountSpill(): void {
    const { spill } = this.directories;
    fs.renameSync(spill, `${spill}.away`);
    fs.writeFileSync(spill, '');
  }

  mountSpill(): void {
    const { spill } = this.directories;
    fs.rmSync(spill);
    fs.renameSync(`${spill}.away`, spill);
  }

  /** Starts a standby of PostgreSQL. @throws Inconclusive */
  async addStandby(): Promise<Standby> {
    this.standby = await ofTheRun('starting a standby', () => Standby.of(this.servers.postgres));
    return this.standby;
  }

  /** Starts a process of another installation, which shares Redis and RabbitMQ with ours. */
  async startStranger(env: Record<string, string>): Promise<RoleProcess> {
    const shared = { REDIS_URL: this.redisUrl, RABBITMQ_URL: this.rabbitUrl, SHUTDOWN_GRACE_MS: String(GRACE_MS) };
    const stranger = new RoleProcess('stranger', await freePort(), { ...shared, ...env }, this.onCrash);
    this.strangers.push(stranger);
    await stranger.startAgain();
    return stranger;
  }

  /** How many files the processes have left in the directories for temporary files. */
  get filesLeft(): number {
    const { temporary, spill } = this.directories;
    return fs.readdirSync(temporary).length + fs.readdirSync(spill).length;
  }

  /** Deletes the data of RabbitMQ, which must not be running. */
  wipeRabbit(): void {
    fs.rmSync(this.servers.rabbitmq.dataDirectory, { recursive: true, maxRetries: 5 });
  }

  /** Ends all processes and servers, in whatever state they are. */
  async stop(): Promise<void> {
    await Promise.allSettled([...this.processes, ...this.strangers].map((one) => one.kill()));
    await Promise.all([this.standby?.stop(), stopServers(this.servers), this.network.stop()]);
  }

  private async startProcess(process: RoleProcess, env: Record<string, string> = {}): Promise<void> {
    await process.startAgain(env);
    const { name, url, pid } = process;
    if (pid !== undefined) this.journal.append({ kind: 'started', process: name, pid, url });
  }

  private target(name: TargetName): Killable {
    const process = this.processes.find((one) => one.name === name);
    if (process) return process;
    return name === 'pooler' ? this.network.pooler : this.servers[name as ServerName];
  }

  private async lookForLeases(): Promise<void> {
    const { journal } = this;
    const rows = await rowsOf<{ ms: string }>(this.databaseUrl, LEASES).catch(() => undefined); // it may be down
    if (rows) journal.append({ kind: 'leases left', acquiredMs: rows.map(({ ms }) => Number(ms) - journal.startedMs) });
  }
}
