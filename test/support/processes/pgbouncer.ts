import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { connect } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { Client } from 'pg';
import { eventually } from '../eventually';
import { freePort } from './free-port';
import type { Killable } from './process-tree';
import { end, idsOf, isRoot, NOT_INSTALLED, start } from './servers';

export type PoolMode = 'session' | 'transaction' | 'statement';

/**
 * A private PgBouncer. Its settings are the defaults, unless a test gives others. The bench starts it, too, so there is no
 * syntax here that needs a compiler.
 */
export class PgBouncer implements Killable {
  private readonly port: number;
  private readonly directory: string;
  private readonly launch: () => ChildProcess;
  private child: ChildProcess;

  private constructor(port: number, directory: string, launch: () => ChildProcess) {
    this.port = port;
    this.directory = directory;
    this.launch = launch;
    this.child = launch();
  }

  /** @param databaseUrl of the PostgreSQL behind it, by default that of the tests */
  static async start(
    mode: PoolMode,
    settings: Record<string, string> = {},
    databaseUrl = process.env.TEST_DATABASE_URL as string,
  ): Promise<PgBouncer> {
    const binary = '/usr/sbin/pgbouncer';
    if (!fs.existsSync(binary)) throw new Error(`PgBouncer ${NOT_INSTALLED} no other way.`);
    const postgres = new URL(databaseUrl);
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-pgbouncer-'));
    fs.chmodSync(directory, 0o755); // root runs it under another account
    const port = await freePort();
    const users = path.join(directory, 'users.txt');
    fs.writeFileSync(users, `"${postgres.username}" "${decodeURIComponent(postgres.password)}"\n`);
    const lines = {
      listen_addr: '127.0.0.1',
      listen_port: String(port),
      unix_socket_dir: '',
      auth_type: 'trust',
      auth_file: users,
      pool_mode: mode,
      ...settings,
    };
    const config = path.join(directory, 'pgbouncer.ini');
    fs.writeFileSync(
      config,
      [
        '[databases]',
        `* = host=${postgres.hostname} port=${postgres.port}`,
        '[pgbouncer]',
        ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`),
      ].join('\n'),
    );
    const ids = isRoot ? idsOf('postgres') : {};
    const log = path.join(directory, 'pgbouncer.log');
    const started = new PgBouncer(port, directory, () => start(binary, [config], { ...ids, cwd: directory }, log));
    try {
      await eventually(() => askOnce(started.urlOf(postgres.href)));
    } catch (error) {
      const said = fs.readFileSync(log, 'utf8');
      await started.stop();
      throw new Error(`PgBouncer did not start:\n${said}`, { cause: error });
    }
    return started;
  }

  /** The URL of the same database through the pooler. */
  urlOf(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  kill(): Promise<void> {
    return end(this.child, 'SIGKILL');
  }

  /** PostgreSQL may be down meanwhile. */
  async startAgain(): Promise<void> {
    this.child = this.launch();
    await eventually(() => this.accepts());
  }

  /** @throws if it does not accept connections */
  private accepts(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => resolve(void socket.destroy()));
      socket.once('error', reject);
    });
  }

  async stop(): Promise<void> {
    await end(this.child, 'SIGTERM');
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

async function askOnce(connectionString: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select 1');
  } finally {
    await client.end();
  }
}
