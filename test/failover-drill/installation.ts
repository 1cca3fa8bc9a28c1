import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from 'amqplib';
import { CountingReceiver, type Arrivals } from '../deliveries-proof/arrivals';
import { atTheEnd } from '../support/broker/closing';
import { openProxy } from '../support/broker/proxy';
import { openRawChannel, openVhost } from '../support/broker/rabbit-queues';
import type { TcpProxy } from '../support/broker/tcp-proxy';
import { eventually } from '../support/eventually';
import { detachStandby, OwnServer, promote, redisCommand, rowsOf } from '../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../support/processes/process';
import { givenDestination } from '../support/receivers/destinations';

export const TENANTS = ['acme', 'till'];
const SAFETY = 'events.safety';
const SLOWLY_MS = 120_000;
const LOOK_EVERY_MS = 50;
/** So that events whose attempts are lost do not wait a minute for their next dispatch. */
const RECONCILE_AFTER_SECONDS = 5;

/**
 * A PostgreSQL with an asynchronous streaming standby, behind one address that leads to the primary; Redis, RabbitMQ, an
 * api with a publisher, and a worker. Everything is stopped by `closeAll`.
 */
export class DrillInstallation {
  private worker: TestProcess | undefined;

  private constructor(
    private primary: OwnServer,
    private standby: OwnServer,
    private readonly redis: OwnServer,
    private readonly address: TcpProxy,
    private readonly env: Record<string, string>,
    private readonly api: TestProcess,
    private readonly arrivals: readonly Arrivals[],
    private readonly channel: Channel,
  ) {}

  static async start(): Promise<DrillInstallation> {
    const [primary, redis] = await Promise.all([
      stoppedAtTheEnd(OwnServer.postgres()),
      stoppedAtTheEnd(OwnServer.redis()),
    ]);
    const standby = await stoppedAtTheEnd(OwnServer.standbyOf(primary));
    const [address, vhost, receiver] = [
      await openProxy(primary.url),
      await openVhost(),
      await CountingReceiver.start(),
    ];
    atTheEnd(() => receiver.stop());
    const env = {
      DATABASE_URL: address.url,
      REDIS_URL: redis.url,
      RABBITMQ_URL: vhost.url,
      DESTINATIONS_ALLOW_PRIVATE: 'true',
      RECONCILE_AFTER_SECONDS: String(RECONCILE_AFTER_SECONDS),
    };
    const api = await killedAtTheEnd(startProcess({ ...env, APP_ROLE: 'api,publisher' }));
    const arrivals: Arrivals[] = [];
    for (const tenantId of TENANTS) {
      const { url, arrivals: own } = receiver.add(tenantId);
      await givenDestination(api.url, { tenantId, url });
      arrivals.push(own);
    }
    const channel = await openRawChannel(vhost.url);
    const all = new DrillInstallation(primary, standby, redis, address, env, api, arrivals, channel);
    await all.startWorker();
    return all;
  }

  /** The address of the api. */
  get url(): string {
    return this.api.url;
  }

  /** The primary of now, not through the address: whoever blocks this process blocks the address. */
  get databaseUrl(): string {
    return this.primary.url;
  }

  get standbyUrl(): string {
    return this.standby.url;
  }

  async startWorker(): Promise<void> {
    this.worker = await killedAtTheEnd(startProcess({ ...this.env, APP_ROLE: 'worker' }));
  }

  /** Lets the worker finish what it has begun. @throws if it does not end by itself */
  async stopWorker(): Promise<void> {
    const code = await this.worker?.end('SIGTERM');
    if (code !== 0) throw new Error(`the worker ended with ${code}:\n${this.worker?.output().slice(-3_000)}`);
    this.worker = undefined;
  }

  /** Until the standby has replayed everything. */
  caughtUp(): Promise<void> {
    return this.until(
      `select count(*)::integer as left from pg_stat_replication where replay_lsn >= pg_current_wal_lsn()`,
      1,
    );
  }

  /** The standby lacks what is committed from now on. */
  async cutReplication(): Promise<void> {
    await this.caughtUp();
    await detachStandby(this.standby.url);
  }

  /** The primary is lost, and the standby takes over behind the address. Returns the old primary, which does not run. */
  async failOver(): Promise<OwnServer> {
    const old = this.primary;
    await old.kill();
    await promote(this.standby.url);
    this.primary = this.standby;
    this.address.redirect(this.primary.url);
    return old;
  }

  /** So that settings take effect that need it. */
  async restartPrimary(): Promise<void> {
    await this.primary.kill();
    await this.primary.startAgain();
  }

  /** The primary is lost, and the server that `start` starts takes its place behind the address. */
  async takeOver(start: () => Promise<OwnServer>): Promise<void> {
    await this.primary.kill();
    this.primary = await stoppedAtTheEnd(start());
    this.address.redirect(this.primary.url);
  }

  /** Adds a standby whose confirmation every commit waits for. */
  async addSynchronousStandby(): Promise<void> {
    this.standby = await stoppedAtTheEnd(OwnServer.standbyOf(this.primary));
    await rowsOf(this.primary.url, `alter system set synchronous_standby_names = '*'`);
    await rowsOf(this.primary.url, 'select pg_reload_conf()');
    await this.until(`select count(*)::integer as left from pg_stat_replication where sync_state = 'sync'`, 1);
  }

  /** Until a batch of events waits for the confirmation of a standby. PostgreSQL shows the first kilobyte of a statement. */
  async commitsWait(): Promise<void> {
    await eventually(async () => {
      const waiting = await this.rows(
        `select from pg_stat_activity where wait_event = 'SyncRep' and query like '%input as materialized%'`,
      );
      if (waiting.length === 0) throw new Error('no batch waits for the standby');
    }, SLOWLY_MS);
  }

  /** Until RabbitMQ has confirmed every event. */
  published(): Promise<void> {
    return this.until(`select count(*)::integer as left from outbox where status <> 'PUBLISHED'`, 0);
  }

  /** Until no event has anything left to do. */
  atRest(): Promise<void> {
    return this.until('select count(*)::integer as left from reporting.open_work', 0);
  }

  /** Idempotency keys that Redis remembers. */
  async keysInRedis(): Promise<number> {
    const keys = await redisCommand(this.redis.url, 'keys', 'streamforge:*:key:*');
    return keys.split(',').filter(Boolean).length;
  }

  /** Sends with `again` until Redis remembers so many keys: it is told nothing while it is slow. */
  async remembered(count: number, again: () => Promise<unknown>): Promise<void> {
    await eventually(async () => {
      await again();
      const keys = await this.keysInRedis();
      if (keys < count) throw new Error(`Redis remembers ${keys} keys of ${count}`);
    }, SLOWLY_MS);
  }

  async rows<Row extends Record<string, unknown>>(sql: string): Promise<Row[]> {
    return rowsOf<Row>(this.primary.url, sql);
  }

  /** Messages that workers have parked since the start of the drill. */
  async parked(): Promise<number> {
    return (await this.channel.checkQueue(SAFETY)).messageCount;
  }

  /** Waits until workers have parked so many messages since the start of the drill. Returns how many in the end. */
  async parkedReaches(count: number): Promise<number> {
    const deadlineMs = Date.now() + SLOWLY_MS;
    while ((await this.parked()) < count && Date.now() < deadlineMs) await sleep(LOOK_EVERY_MS);
    return this.parked();
  }

  /** The worker's own count, since it was started. */
  async parkedAsForgotten(): Promise<number> {
    const metrics = await (await fetch(`${this.worker?.url}/metrics`)).text();
    return Number(/^streamforge_parked_messages_total\{reason="forgotten"\} (\d+)$/m.exec(metrics)?.[1]);
  }

  /** How often each event was accepted by the receivers, by its id. */
  deliveries(): Map<string, number> {
    return new Map(this.arrivals.flatMap(({ accepted }) => [...accepted]));
  }

  private async until(sql: string, count: number): Promise<void> {
    await eventually(async () => {
      const [row] = await this.rows<{ left: number }>(sql);
      if (row?.left !== count) throw new Error(`${row?.left} instead of ${count}: ${sql}`);
    }, SLOWLY_MS);
  }
}

async function stoppedAtTheEnd(starting: Promise<OwnServer>): Promise<OwnServer> {
  const server = await starting;
  atTheEnd(() => server.stop());
  return server;
}

async function killedAtTheEnd(starting: Promise<TestProcess>): Promise<TestProcess> {
  const started = await starting;
  atTheEnd(() => started.end('SIGKILL'));
  return started;
}
