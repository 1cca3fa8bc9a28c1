import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Build } from '#bench/against/build';
import type { BenchServer } from '#bench/databases';
import {
  allReceived,
  DELIVERY_SETTINGS,
  forgetReceived,
  register,
  sendEvery,
  sendStream,
  type NewDestination,
} from '#bench/deliveries/gateway';
import { serverCpuUs } from '#bench/deliveries/server-cpu';
import { eventJson } from '#bench/events';
import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import type { ReceiverReport } from '#bench/receiver';
import { ADMIN_TOKEN, startRole } from '#bench/streamforge';

const TENANTS = 100;
const OF_TENANT = 10;
export const DEAD = 50;
const PER_SECOND = 500;
/** Registrations at the same time. */
const AT_ONCE = 20;
const WARM_UP_STREAMS = 250;
/** Each tenant sends as many. */
const STREAMS = 1_000;

/** How many destinations do not work. */
export type Dead = 0 | typeof DEAD;

export interface ManyDestinations {
  /** From acceptance to arrival at the healthy destinations. */
  p50Ms: number;
  p99Ms: number;
  /** CPU time of the gateway and of PostgreSQL for each event, all of which match one destination. */
  gatewayUs: number;
  postgresUs: number;
  walBytes: number;
}

/** Prepares databases with 1,000 destinations of 100 tenants, and measures a build on copies of them. */
export class ManyDestinationsSide {
  private readonly build: Build;
  private readonly postgres: BenchServer;
  private readonly receiver: ServerProcess;
  private readonly name: string;
  private readonly urls = new Map<Dead, string>();

  constructor(name: string, build: Build, postgres: BenchServer, receiver: ServerProcess) {
    this.name = name;
    this.build = build;
    this.postgres = postgres;
    this.receiver = receiver;
  }

  async prepare(): Promise<void> {
    const url = await this.postgres.createDatabase(`${this.name}_0`, { migrated: false });
    const env = { ...process.env, DATABASE_URL: url };
    const migrate = join(this.build.directory, 'dist/src/commands/migrate.js');
    execFileSync(process.execPath, [migrate], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    await this.withGateway(url, async (gateway) => {
      const all = destinations(this.receiver.url, this.path);
      for (let n = 0; n < all.length; n += AT_ONCE) {
        await Promise.all(all.slice(n, n + AT_ONCE).map((one) => register(gateway, one)));
      }
    });
    const deadUrl = await this.postgres.copyDatabase(url, `${this.name}_${DEAD}`);
    await breakDestinations(deadUrl);
    this.urls.set(0, url).set(DEAD, deadUrl);
  }

  /** Starts a new process on a fresh copy. */
  measure(dead: Dead, run: string): Promise<ManyDestinations> {
    const url = this.urls.get(dead);
    if (url === undefined) throw new Error('prepare() was not called');
    return this.postgres.withCopy(url, (copy) =>
      this.withGateway(copy, (gateway) => this.load(gateway, copy, dead, run)),
    );
  }

  private get path(): string {
    return `many-${this.name}`;
  }

  private async load(gateway: ServerProcess, url: string, dead: Dead, run: string): Promise<ManyDestinations> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await this.send(gateway, `warm-up-${run}`, WARM_UP_STREAMS, dead);
      const before = await usage(gateway, client);
      const { p50Ms, p99Ms } = await this.send(gateway, run, STREAMS, dead);
      const after = await usage(gateway, client);
      const perEvent = (figure: keyof typeof after): number => (after[figure] - before[figure]) / (STREAMS * OF_TENANT);
      const [gatewayUs, postgresUs, walBytes] = [perEvent('gatewayUs'), perEvent('postgresUs'), perEvent('walBytes')];
      return { p50Ms, p99Ms, gatewayUs, postgresUs, walBytes };
    } finally {
      await client.end();
    }
  }

  private async send(gateway: ServerProcess, run: string, streams: number, dead: Dead): Promise<ReceiverReport> {
    await forgetReceived(this.receiver, `/quick/${this.path}`);
    let healthy = 0;
    await sendEvery((OF_TENANT * 1_000) / PER_SECOND, streams, (n) => {
      healthy += n % TENANTS < dead ? OF_TENANT - 1 : OF_TENANT;
      return sendStream(gateway, `tenant-${n % TENANTS}`, eventsOf(run, n));
    });
    return allReceived(this.receiver, `/quick/${this.path}`, healthy);
  }

  private async withGateway<T>(url: string, work: (gateway: ServerProcess) => Promise<T>): Promise<T> {
    const env = { ADMIN_TOKEN, DATABASE_URL: url, ...DELIVERY_SETTINGS };
    const gateway = await startRole('all', env, this.build.directory);
    try {
      return await work(gateway);
    } finally {
      await gateway.stop();
    }
  }
}

function destinations(receiverUrl: string, path: string): NewDestination[] {
  return Array.from({ length: TENANTS * OF_TENANT }, (_, i) => {
    const [tenant, n] = [Math.floor(i / OF_TENANT), i % OF_TENANT];
    const url = `${receiverUrl}/quick/${path}/${tenant}-${n}`;
    return { tenantId: `tenant-${tenant}`, url, eventTypes: [typeOf(n)] };
  });
}

/** The first destination of the first 50 tenants is dead. Half of the dead ones answer 500, and half never answer. */
async function breakDestinations(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rowCount } = await client.query(
    `update destinations set url = replace(url, '/quick/', case when tenant % 2 = 0 then '/failing/' else '/dead/' end)
       from generate_series(0, $1 - 1) tenant where url like '%/' || tenant || '-0'`,
    [DEAD],
  );
  await client.end();
  if (rowCount !== DEAD) throw new Error(`${rowCount} destinations are dead instead of ${DEAD}`);
}

const typeOf = (n: number): string => `order.type${n}`;

/** One event for each destination of a tenant. */
function eventsOf(run: string, stream: number): string {
  return Array.from(
    { length: OF_TENANT },
    (_, n) => `${eventJson({ type: typeOf(n), run }, stream * OF_TENANT + n)}\n`,
  ).join('');
}

async function usage(
  gateway: ServerProcess,
  client: Client,
): Promise<Record<'gatewayUs' | 'postgresUs' | 'walBytes', number>> {
  const { rows } = await client.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes`,
  );
  return {
    gatewayUs: cpuMicroseconds(gateway.child.pid) ?? Number.NaN,
    postgresUs: await serverCpuUs(client),
    walBytes: Number(rows[0]?.bytes),
  };
}
