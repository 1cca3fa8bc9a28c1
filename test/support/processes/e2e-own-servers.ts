import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Redis } from 'ioredis';
import { Client, type QueryResultRow } from 'pg';
import { migrate } from '../../../src/db/migrations/migrate';
import { isAlive } from './e2e-data-directory';
import { eventually } from '../eventually';
import { startPostgres, startRedis, type TestServer } from './servers';

/** A machine that is busy with other tests takes its time for PostgreSQL's recovery. */
const UP_AGAIN_WITHIN_MS = 60_000;

/** A server of one test file alone, which may be frozen, killed and started again on its port and files. */
export class OwnServer {
  private again: ChildProcess | undefined;

  private constructor(
    readonly url: string,
    private readonly directory: string,
    private pid: number,
    private readonly first: TestServer,
    private readonly pidWhenUp: () => Promise<number>,
    private readonly command: { args: string[]; cwd: string; uid: number; gid: number },
  ) {}

  static async redis(): Promise<OwnServer> {
    const directory = createDirectory();
    const started = await startRedis(directory);
    const url = started.env.TEST_REDIS_URL as string;
    return OwnServer.around(url, directory, started, async () =>
      Number(/^process_id:(\d+)/m.exec(await redisCommand(url, 'info', 'server'))?.[1]),
    );
  }

  /** With the current schema. */
  static async postgres(): Promise<OwnServer> {
    const directory = createDirectory();
    const started = await startPostgres(directory);
    const url = started.env.TEST_DATABASE_URL as string;
    const pidFile = path.join(directory, 'postgres/data/postmaster.pid');
    const server = await OwnServer.around(url, directory, started, async () => {
      await rowsOf(url, 'select 1');
      return Number.parseInt(fs.readFileSync(pidFile, 'utf8'), 10);
    });
    await migrate(url);
    return server;
  }

  private static async around(
    url: string,
    directory: string,
    started: TestServer,
    pidWhenUp: () => Promise<number>,
  ): Promise<OwnServer> {
    const pid = await eventually(pidWhenUp);
    const { uid, gid } = fs.statSync(`/proc/${pid}`);
    const cwd = fs.readlinkSync(`/proc/${pid}/cwd`);
    return new OwnServer(url, directory, pid, started, pidWhenUp, { args: commandOf(pid), cwd, uid, gid });
  }

  /** Connections stay open and new ones are taken by the kernel, but nothing is answered: a machine that hangs. */
  freeze(): void {
    this.signalAll('SIGSTOP');
  }

  thaw(): void {
    this.signalAll('SIGCONT');
  }

  /** Ends it at once; connections break and new ones are refused. */
  async kill(): Promise<void> {
    const pids = [this.pid, ...childrenOf(this.pid)];
    this.signalAll('SIGKILL');
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
  }

  /** After `kill`. Resolves when it answers. */
  async startAgain(): Promise<void> {
    const { args, ...options } = this.command;
    const [file, ...rest] = args as [string, ...string[]];
    this.again = spawn(file, rest, { ...options, stdio: 'ignore' });
    this.pid = await eventually(this.pidWhenUp, UP_AGAIN_WITHIN_MS);
  }

  async stop(): Promise<void> {
    this.thaw();
    if (this.again) await this.kill();
    this.again?.kill('SIGKILL'); // if it never came up
    await this.first.stop();
    fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The first process first, so that it starts no others meanwhile. */
  private signalAll(signal: NodeJS.Signals): void {
    for (const pids of [() => [this.pid], () => childrenOf(this.pid)]) {
      for (const pid of pids()) {
        try {
          process.kill(pid, signal);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      }
    }
  }
}

function createDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-own-'));
  fs.chmodSync(directory, 0o755); // root gives PostgreSQL to another account
  return directory;
}

function commandOf(pid: number): string[] {
  const parts = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  // Redis writes its address over its arguments.
  const redis = /^(\S*redis-server) ([\d.]+):(\d+)/.exec(parts[0] as string)?.slice(1);
  return redis ? [redis[0] as string, '--bind', redis[1] as string, '--port', redis[2] as string, '--save', ''] : parts;
}

function childrenOf(parent: number): number[] {
  return fs.readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    return pid > 0 && statOf(pid)?.[1] === String(parent) ? [pid] : [];
  });
}

/** State, parent and so on: what follows the name in /proc/pid/stat. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** How much memory the process really holds. */
export function residentMegabytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** One command over a connection of its own. */
export async function redisCommand(url: string, command: string, ...args: string[]): Promise<string> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined); // the command fails with it
  try {
    await redis.connect();
    return String(await redis.call(command, ...args));
  } finally {
    redis.disconnect();
  }
}

/** One statement over a connection of its own, which no outage has touched. */
export async function rowsOf<Row extends QueryResultRow>(url: string, sql: string, values: unknown[] = []) {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** What the database holds of a tenant: its events, and its outbox entries and keys, which must match them (I1). */
export async function storedOf(
  url: string,
  tenant: string,
): Promise<{ events: number; entries: number; keys: number }> {
  const [row] = await rowsOf<{ events: number; entries: number; keys: number }>(
    url,
    `with own as (select id from events where tenant_id = $1)
     select (select count(*)::int from own) as events,
            (select count(*)::int from outbox o join own on own.id = o.event_id) as entries,
            (select count(distinct k.event_id)::int from idempotency_keys k join own on own.id = k.event_id) as keys`,
    [tenant],
  );
  return row as { events: number; entries: number; keys: number };
}
