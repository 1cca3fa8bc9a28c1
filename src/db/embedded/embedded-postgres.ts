import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import {
  chooseRuntimeDirectory,
  prepareBinaries,
  readIfThere,
  serverUser,
  type ServerUser,
} from './embedded-postgres-files';
import { commandOf, isProcessRunning, startTimeOf } from './embedded-postgres-processes';

/**
 * A real PostgreSQL server from npm binaries, for a machine that has only Node.js. Its files lie under one directory.
 * The process that started the server owns it and stops it. When the owner was killed, the server is still running; the
 * next process adopts it with all its data. A second process that finds the owner alive only connects.
 */
export interface EmbeddedPostgres {
  url: string;
  directory: string;
  /** Stops the server if this process owns it. Resolves when it is down, or after 20 seconds. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

/**
 * Starts the server of `dataDir`, or connects to the one that runs.
 * @throws Error when the binaries are missing or the server does not start within 30 seconds. Its message says what to
 * do, or where the log of the server is.
 */
export async function startEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const user = serverUser();
  const directory = chooseRuntimeDirectory(dataDir, user);
  const server = new Server(directory, prepareBinaries(directory, user), user);
  server.initialiseOnce();
  return server.attachOrStart();
}

interface Postmaster {
  pid: number;
  port: number;
}

class Server {
  private readonly dataPath: string;
  private readonly passwordFile: string;
  private readonly ownerFile: string;
  private readonly logFile: string;

  constructor(
    private readonly directory: string,
    private readonly binaries: string,
    private readonly user: ServerUser,
  ) {
    this.dataPath = path.join(directory, 'postgres');
    this.passwordFile = path.join(directory, 'postgres.password');
    this.ownerFile = path.join(directory, 'postgres.owner');
    this.logFile = path.join(directory, 'postgres.log');
  }

  /** Runs initdb in a temporary directory, then renames it: an interrupted first start leaves no broken cluster. */
  initialiseOnce(): void {
    if (fs.existsSync(this.dataPath)) return;
    if (!fs.existsSync(this.passwordFile)) {
      fs.writeFileSync(this.passwordFile, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
      this.giveToServer(this.passwordFile);
    }
    const fresh = `${this.dataPath}.${process.pid}.new`;
    fs.mkdirSync(fresh, { mode: 0o700 });
    this.giveToServer(fresh);
    const options = ['-D', fresh, '-U', 'streamforge', `--pwfile=${this.passwordFile}`, '-A', 'scram-sha-256'];
    try {
      execFileSync(path.join(this.binaries, 'initdb'), [...options, '-E', 'UTF8', '--locale=C', '--no-instructions'], {
        stdio: 'pipe',
        cwd: this.directory,
        ...this.user.ids,
      });
      if (!fs.existsSync(this.dataPath)) fs.renameSync(fresh, this.dataPath);
    } finally {
      fs.rmSync(fresh, { recursive: true, force: true });
    }
  }

  async attachOrStart(): Promise<EmbeddedPostgres> {
    const running = this.runningPostmaster();
    if (running) {
      const owned = !this.ownerIsAlive();
      if (owned) this.recordOwner();
      await this.waitUntilUp(running);
      return this.handle(running, owned);
    }
    this.recordOwner();
    return this.handle(await this.startPostmaster(), true);
  }

  private handle(postmaster: Postmaster, owned: boolean): EmbeddedPostgres {
    return {
      url: this.url(postmaster.port),
      directory: this.directory,
      stop: async () => {
        if (owned) await this.stop(postmaster);
      },
    };
  }

  /** Retries while backends of a killed postmaster are still running or its pid still exists. */
  private async startPostmaster(): Promise<Postmaster> {
    for (const deadline = performance.now() + START_TIMEOUT_MS; ;) {
      this.removeForeignPidFile();
      const started = await this.spawnPostmaster();
      try {
        await this.waitUntilUp(started);
        return started;
      } catch (error) {
        if (performance.now() > deadline || !/is still in use|already exists/.test(this.lastLogLines())) throw error;
        await sleep(100);
      }
    }
  }

  /** Without this, PostgreSQL refuses to start when another process of its account now has the pid of a stale file. */
  private removeForeignPidFile(): void {
    const file = path.join(this.dataPath, 'postmaster.pid');
    const pid = Number.parseInt(readIfThere(file) ?? '', 10);
    if (pid > 0 && isProcessRunning(pid) && !this.isOurs(pid)) fs.rmSync(file, { force: true });
  }

  private isOurs(pid: number): boolean {
    return commandOf(pid).includes(this.dataPath);
  }

  /** The server gets its own process group: Ctrl-C reaches only this process, which drains, then stops the server. */
  private async spawnPostmaster(): Promise<Postmaster> {
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '100',
      shared_buffers: '128MB',
      max_wal_size: '2GB',
    };
    const log = fs.openSync(this.logFile, 'w', 0o600); // its DETAIL lines may hold rows
    fs.fchmodSync(log, 0o600); // also a file of an earlier build
    const child = spawn(
      path.join(this.binaries, 'postgres'),
      ['-D', this.dataPath, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { detached: true, stdio: ['ignore', log, log], cwd: this.directory, ...this.user.ids },
    );
    fs.closeSync(log);
    await once(child, 'spawn'); // rejects when the binary cannot be run
    child.unref();
    return { pid: child.pid as number, port };
  }

  private async waitUntilUp(postmaster: Postmaster): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const client = new Client({ connectionString: this.url(postmaster.port), connectionTimeoutMillis: 2_000 });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (!isProcessRunning(postmaster.pid) || performance.now() > deadline) {
          throw new Error(`The embedded PostgreSQL did not start; see ${this.logFile}\n${this.lastLogLines()}`, {
            cause: error,
          });
        }
        await sleep(20);
      }
    }
  }

  /** SIGINT requests a fast shutdown: PostgreSQL ends all sessions, writes a checkpoint and exits. */
  private async stop({ pid }: Postmaster): Promise<void> {
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    if (isProcessRunning(pid)) process.kill(pid, 'SIGINT');
    while (isProcessRunning(pid) && performance.now() < deadline) await sleep(20);
    fs.rmSync(this.ownerFile, { force: true });
  }

  /** Reads postmaster.pid: line 1 is the pid, line 4 the port. After a crash, the file names a process that is gone. */
  private runningPostmaster(): Postmaster | undefined {
    const text = readIfThere(path.join(this.dataPath, 'postmaster.pid'));
    if (text === undefined) return undefined;
    const lines = text.split('\n');
    const pid = Number(lines[0]);
    return isProcessRunning(pid) && this.isOurs(pid) ? { pid, port: Number(lines[3]) } : undefined;
  }

  private recordOwner(): void {
    fs.writeFileSync(this.ownerFile, `${process.pid} ${startTimeOf(process.pid)}\n`, { mode: 0o600 });
  }

  private ownerIsAlive(): boolean {
    const [pid, startTime] = (readIfThere(this.ownerFile) ?? '').trim().split(' ');
    return pid !== undefined && pid !== '' && isProcessRunning(Number(pid)) && startTimeOf(Number(pid)) === startTime;
  }

  private url(port: number): string {
    const password = fs.readFileSync(this.passwordFile, 'utf8');
    return `postgres://streamforge:${password}@127.0.0.1:${port}/postgres`;
  }

  private lastLogLines(): string {
    return (readIfThere(this.logFile) ?? '').trim().split('\n').slice(-5).join('\n');
  }

  private giveToServer(file: string): void {
    if (this.user.ids) fs.chownSync(file, this.user.ids.uid, this.user.ids.gid);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
