import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type * as EmbeddedPostgres from '../src/db/embedded/embedded-postgres.js';
import type * as Migrate from '../src/db/migrations/migrate.js';
import { compiled } from '#bench/compiled';

const { startEmbeddedPostgres } = compiled<typeof EmbeddedPostgres>('db/embedded/embedded-postgres');
const { migrate } = compiled<typeof Migrate>('db/migrations/migrate');

const GROWING = 'events, idempotency_keys, outbox, processing_attempts, usage_daily';
const INSUFFICIENT_PRIVILEGE = '42501';

/** One PostgreSQL server for the run, with a database of its own for each side of a comparison. */
export class BenchServer {
  private readonly names = new Set<string>();
  private readonly url: string;
  private readonly stopServer: () => Promise<void>;

  private constructor(url: string, stopServer: () => Promise<void>) {
    this.url = url;
    this.stopServer = stopServer;
  }

  /** Uses the server of DATABASE_URL, or starts an embedded one in a temporary directory. */
  static async start(): Promise<BenchServer> {
    if (process.env.DATABASE_URL) return new BenchServer(process.env.DATABASE_URL, () => Promise.resolve());
    const directory = mkdtempSync(join(tmpdir(), 'streamforge-bench-'));
    const embedded = await startEmbeddedPostgres(directory);
    return new BenchServer(embedded.url, async () => {
      await embedded.stop();
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** Creates a database, with the schema of this build unless `migrated` is false. Returns its URL. */
  async createDatabase(side: string, { migrated = true } = {}): Promise<string> {
    const url = await this.create(side);
    if (migrated) await migrate(url);
    return url;
  }

  /** Copies a database, which must have no connections. Returns the URL of the copy. */
  async copyDatabase(originalUrl: string, side: string): Promise<string> {
    return this.create(side, new URL(originalUrl).pathname.slice(1));
  }

  /** Runs `work` on a copy of a database, which must have no connections, and drops the copy. */
  async withCopy<T>(originalUrl: string, work: (url: string) => Promise<T>): Promise<T> {
    const url = await this.copyDatabase(originalUrl, 'copy');
    try {
      await this.checkpoint();
      return await work(url);
    } finally {
      await this.drop(new URL(url).pathname.slice(1));
    }
  }

  /** Empties all tables between rounds. Growing tables would slow down later rounds. */
  async empty(): Promise<void> {
    for (const name of this.names) {
      await withClient(this.urlOf(name), (client) => client.query(`truncate ${GROWING}`));
    }
    await this.checkpoint();
  }

  /** Otherwise PostgreSQL may start a checkpoint during a measurement and distort it. */
  private async checkpoint(): Promise<void> {
    await withClient(this.url, async (client) => {
      try {
        await client.query('checkpoint');
      } catch (error) {
        if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error;
      }
    });
  }

  async version(): Promise<string> {
    const { rows } = await withClient(this.url, (client) =>
      client.query<{ server_version: string }>('show server_version'),
    );
    return rows[0]?.server_version ?? 'of unknown version';
  }

  async stop(): Promise<void> {
    for (const name of [...this.names]) await this.drop(name);
    await this.stopServer();
  }

  private async create(side: string, template?: string): Promise<string> {
    const name = `bench_${process.pid}_${side.replaceAll('-', '_')}`;
    const from = template ? ` template ${template}` : '';
    await withClient(this.url, (client) => client.query(`create database ${name}${from}`));
    this.names.add(name);
    return this.urlOf(name);
  }

  private async drop(name: string): Promise<void> {
    await withClient(this.url, (client) => client.query(`drop database if exists ${name} with (force)`));
    this.names.delete(name);
  }

  private urlOf(name: string): string {
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }
}

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
