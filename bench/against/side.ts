import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Build } from '#bench/against/build';
import { counterIn, ratePerSecond, type Reading } from '#bench/against/readings';
import { Connection, request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import type { EventSource } from '#bench/events';
import { LINES, ndjsonOf, posts, rejectingStreams, streams } from '#bench/figures';
import { forSeconds } from '#bench/load';
import type { ServerProcess } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { startRole } from '#bench/streamforge';

const WARM_UP_SECONDS = 2;
const READ_EVERY_MS = 50;
const GIVE_UP_MS = 120_000;

const published = (metrics: string): number => counterIn(metrics, 'streamforge_outbox_published_total');
const succeeded = (metrics: string): number =>
  counterIn(metrics, 'streamforge_worker_attempts_total', 'status="SUCCESS"');

/**
 * A build under measurement. Each measurement starts new processes on a fresh copy of a database. No measurement inherits
 * state from another, and a lucky or unlucky process affects one round instead of the whole run.
 */
export class Side {
  private readonly build: Build;
  private readonly postgres: BenchServer;
  private readonly emptyUrl: string;
  private backlog: { url: string; events: number } | undefined;

  private constructor(build: Build, postgres: BenchServer, emptyUrl: string) {
    this.build = build;
    this.postgres = postgres;
    this.emptyUrl = emptyUrl;
  }

  static async create(name: string, build: Build, postgres: BenchServer): Promise<Side> {
    const emptyUrl = await postgres.createDatabase(name, { migrated: false });
    const env = { ...process.env, DATABASE_URL: emptyUrl };
    const migrate = join(build.directory, 'dist/src/commands/migrate.js');
    execFileSync(process.execPath, [migrate], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    return new Side(build, postgres, emptyUrl);
  }

  /** Fills a database with unpublished events through the build's own api. */
  async prepareBacklog(name: string, atLeast: number): Promise<void> {
    const url = await this.postgres.copyDatabase(this.emptyUrl, name);
    let left = Math.ceil(atLeast / LINES);
    const source = { type: 'order.paid', run: 'backlog' };
    const next = (): string | undefined => (left > 0 ? ndjsonOf(source, --left) : undefined);
    const { events } = await this.withRole('api', { DATABASE_URL: url }, (api) => streams(api, next, 'accepted'));
    this.backlog = { url, events };
  }

  /** Events per second, posted one per request. */
  single(seconds: number, env: Record<string, string> = {}): Promise<number> {
    return this.ingest(seconds, posts, env);
  }

  /** Events per second, sent as NDJSON. */
  stream(seconds: number): Promise<number> {
    return this.ingest(seconds, (load, api) =>
      streams(
        api,
        forSeconds(load.seconds, (n) => ndjsonOf(load.source, n)),
        'accepted',
      ),
    );
  }

  /** Records per second of NDJSON with rejected ones, and how many of these were reported as kept and as not kept. */
  async rejecting(seconds: number): Promise<{ perSecond: number; kept: number; notKept: number }> {
    let counts = { kept: 0, notKept: 0 };
    const perSecond = await this.ingest(seconds, async (load, api) => {
      const measured = await rejectingStreams(load, api);
      const metrics = await metricsOf(api);
      const count = (kept: boolean): number => counterIn(metrics, 'streamforge_rejections_total', `kept="${kept}"`);
      counts = { kept: count(true), notKept: count(false) };
      return measured;
    });
    return { perSecond, ...counts };
  }

  /** Entries per second of a publisher; `withWorker` adds the events per second of a worker on the same messages. */
  oneByOne(rabbit: BenchRabbit, withWorker: boolean): Promise<{ publisher: number; worker?: number }> {
    return this.withBacklog(rabbit, async (env, events) => {
      const rateOf = (role: string, count: (metrics: string) => number): Promise<number> =>
        this.withRole(role, env, (server) => rateUntil(events, server, count));
      const publisher = await rateOf('publisher', published);
      return withWorker ? { publisher, worker: await rateOf('worker', succeeded) } : { publisher };
    });
  }

  /** Events per second of a publisher and a worker that work off a backlog at the same time. */
  together(rabbit: BenchRabbit): Promise<number> {
    return this.withBacklog(rabbit, (env, events) =>
      this.withRole('worker', env, (worker) =>
        this.withRole('publisher', env, () => rateUntil(events, worker, succeeded)),
      ),
    );
  }

  private withBacklog<T>(
    rabbit: BenchRabbit,
    work: (env: { DATABASE_URL: string; RABBITMQ_URL: string }, events: number) => Promise<T>,
  ): Promise<T> {
    const { backlog } = this;
    if (!backlog) throw new Error('There is no backlog yet.');
    return this.postgres.withCopy(backlog.url, (DATABASE_URL) =>
      rabbit.withVirtualHost((RABBITMQ_URL) => work({ DATABASE_URL, RABBITMQ_URL }, backlog.events)),
    );
  }

  private ingest(
    seconds: number,
    load: (load: { source: EventSource; seconds: number }, api: ServerProcess) => Promise<{ perSecond: number }>,
    env: Record<string, string> = {},
  ): Promise<number> {
    const type = 'order.paid';
    return this.postgres.withCopy(this.emptyUrl, (DATABASE_URL) =>
      this.withRole('api', { ...env, DATABASE_URL }, async (api) => {
        await load({ source: { type, run: 'warm-up' }, seconds: Math.min(WARM_UP_SECONDS, seconds) }, api);
        return (await load({ source: { type, run: 'measured' }, seconds }, api)).perSecond;
      }),
    );
  }

  private async withRole<T>(
    role: string,
    env: Record<string, string>,
    work: (server: ServerProcess) => Promise<T>,
  ): Promise<T> {
    const server = await startRole(role, env, this.build.directory);
    try {
      return await work(server);
    } finally {
      await server.stop();
    }
  }
}

async function metricsOf(server: ServerProcess): Promise<string> {
  const connection = new Connection(server.url);
  try {
    return (await connection.send(request('GET /metrics', {}))).body.toString();
  } finally {
    connection.close();
  }
}

/** Polls /metrics until `all` events are done. Metric names are a public contract, so every build has them. */
async function rateUntil(all: number, server: ServerProcess, count: (metrics: string) => number): Promise<number> {
  const connection = new Connection(server.url);
  const readings: Reading[] = [];
  const endMs = performance.now() + GIVE_UP_MS;
  try {
    for (let done = 0; done < all; await sleep(READ_EVERY_MS)) {
      const { body } = await connection.send(request('GET /metrics', {}));
      done = count(body.toString());
      readings.push({ atMs: performance.now(), count: done });
      if (performance.now() > endMs) throw new Error(`Only ${done} of ${all} events are done after ${GIVE_UP_MS} ms`);
    }
    return ratePerSecond(readings, all);
  } finally {
    connection.close();
  }
}
