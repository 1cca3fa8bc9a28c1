import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Redis } from 'ioredis';
import { Client, type QueryResultRow } from 'pg';
import { migrate } from '../../../src/db/migrations/migrate';
import { eventually } from '../eventually';
import { ProcessTree, type Killable } from './process-tree';
import { postgresBinaries, startPostgres, startPostgresOn, startRedis, type TestServer } from './servers';

/** Long, because PostgreSQL recovers slowly on a machine that is busy with other tests. */
const UP_AGAIN_WITHIN_MS = 60_000;

/** A server of one test file, which can be frozen, killed and started again on the same port and files. */
export class OwnServer implements Killable {
  private again: ChildProcess | undefined;

  private constructor(
    readonly url: string,
    private readonly directory: string,
    private processes: ProcessTree,
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
    const server = await OwnServer.postgresIn(createDirectory());
    await migrate(server.url);
    return server;
  }

  /** A standby that follows a primary by asynchronous streaming replication. */
  static standbyOf(primary: OwnServer): Promise<OwnServer> {
    return OwnServer.postgresIn(createDirectory(), primary.url);
  }

  /** On the data below `postgresHome(directory)`. */
  static async postgresOn(directory: string): Promise<OwnServer> {
    return OwnServer.postgresAround(directory, await startPostgresOn(directory));
  }

  private static async postgresIn(directory: string, copyOf?: string): Promise<OwnServer> {
    return OwnServer.postgresAround(directory, await startPostgres(directory, copyOf));
  }

  private static postgresAround(directory: string, started: TestServer): Promise<OwnServer> {
    const url = started.env.TEST_DATABASE_URL as string;
    const pidFile = path.join(directory, 'postgres/data/postmaster.pid');
    return OwnServer.around(url, directory, started, async () => {
      await rowsOf(url, 'select 1');
      return Number.parseInt(fs.readFileSync(pidFile, 'utf8'), 10);
    });
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
    return new OwnServer(url, directory, new ProcessTree(pid), started, pidWhenUp, {
      args: commandOf(pid),
      cwd,
      uid,
      gid,
    });
  }

  freeze(): void {
    this.processes.freeze();
  }

  thaw(): void {
    this.processes.thaw();
  }

  kill(): Promise<void> {
    return this.processes.kill();
  }

  async startAgain(): Promise<void> {
    const { args, ...options } = this.command;
    const [file, ...rest] = args as [string, ...string[]];
    this.again = spawn(file, rest, { ...options, stdio: 'ignore' });
    this.processes = new ProcessTree(await eventually(this.pidWhenUp, UP_AGAIN_WITHIN_MS));
  }

  async stop(): Promise<void> {
    this.thaw();
    if (this.again) await this.kill();
    this.again?.kill('SIGKILL'); // in case it never came up
    await this.first.stop();
    fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function createDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-own-'));
  fs.chmodSync(directory, 0o755); // root runs PostgreSQL under another account
  return directory;
}

function commandOf(pid: number): string[] {
  const parts = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  // Redis overwrites its arguments with its address.
  const redis = /^(\S*redis-server) ([\d.]+):(\d+)/.exec(parts[0] as string)?.slice(1);
  return redis ? [redis[0] as string, '--bind', redis[1] as string, '--port', redis[2] as string, '--save', ''] : parts;
}

/** Sends one command over its own connection. */
export async function redisCommand(url: string, command: string, ...args: string[]): Promise<string> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined); // the command reports it
  try {
    await redis.connect();
    return String(await redis.call(command, ...args));
  } finally {
    redis.disconnect();
  }
}

/** Runs one statement over a new connection, which no outage has affected. */
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

/** Counts a tenant's events, and their outbox entries and keys, which must match (I1). */
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

/** Lets a standby follow its primary no longer, so that it lacks whatever the primary commits from now on. */
export async function detachStandby(url: string): Promise<void> {
  await rowsOf(url, `alter system set primary_conninfo = ''`);
  await rowsOf(url, 'select pg_reload_conf()');
  await eventually(async () => {
    if ((await rowsOf(url, 'select from pg_stat_wal_receiver')).length > 0) throw new Error(`${url} still follows`);
  });
}

/** Makes a standby the primary. */
export async function promote(url: string): Promise<void> {
  await rowsOf(url, 'select pg_promote(true, 60)');
}

/** Dumps a database. `restore` restores the dump in place, under open connections, or into an empty database. */
export function dumped(url: string): { restore: (into?: string) => void } {
  const directory = createDirectory();
  const file = path.join(directory, 'dump');
  const run = (program: string, ...args: string[]): void =>
    void execFileSync(path.join(postgresBinaries(), program), args, { stdio: 'pipe' });
  run('pg_dump', '-Fc', '-f', file, url);
  return {
    restore: (into) => {
      try {
        run('pg_restore', ...(into === undefined ? ['--clean', '-d', url] : ['-d', into]), file);
      } catch (error) {
        if (into !== undefined || !isUsualOfCleaning(error)) throw error;
      }
      fs.rmSync(directory, { recursive: true });
    },
  };
}

/** pg_restore --clean cannot drop the constraints of partitions, says so, and drops them with their tables. */
export function isUsualOfCleaning(error: unknown): boolean {
  const said = String((error as { stderr?: unknown }).stderr);
  const others = said.match(/ERROR: .*/g)?.filter((line) => !line.includes('cannot drop inherited constraint'));
  return others?.length === 0;
}
