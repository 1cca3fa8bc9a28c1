import { TcpProxy } from '../../support/broker/tcp-proxy';
import { PgBouncer } from '../../support/processes/pgbouncer';
import { SERVERS, type ProcessName, type ServerName } from '../faults/schedule';
import { ofTheRun } from '../run/inconclusive';
import { portsConnectedTo } from './open-connections';
import { stopServers, type Servers } from './servers';

/** While PostgreSQL does not start, PgBouncer would refuse for 15 seconds. */
const POOLER_SETTINGS = { server_login_retry: '1' };

type Urls = Record<ServerName, string>;

/**
 * The ways from the processes to the servers. The first process of each role connects through a firewall that can forget
 * connections, the second to PostgreSQL through PgBouncer in transaction mode.
 */
export class Network {
  private constructor(
    private readonly urls: Urls,
    readonly pooler: PgBouncer,
    private readonly firewalls: Readonly<Record<ServerName, TcpProxy>>,
  ) {}

  /** @throws Inconclusive if the pooler does not start; the servers are stopped then */
  static async before(servers: Servers): Promise<Network> {
    const { postgres: database, redis: cache, rabbitmq: broker } = servers;
    const urls = { postgres: database.url, redis: cache.url, rabbitmq: broker.env.TEST_RABBITMQ_URL as string };
    const starting = PgBouncer.start('transaction', POOLER_SETTINGS, urls.postgres);
    const pooler = await ofTheRun('starting the pooler', () => starting).catch(async (error: unknown) => {
      await stopServers(servers);
      throw error;
    });
    const [postgres, redis, rabbitmq] = await Promise.all(SERVERS.map((server) => TcpProxy.to(urls[server])));
    const firewalls = { postgres, redis, rabbitmq } as Record<ServerName, TcpProxy>;
    return new Network(urls, pooler, firewalls);
  }

  /** How a process reaches the servers. */
  urlsFor(process: ProcessName): Record<'DATABASE_URL' | 'REDIS_URL' | 'RABBITMQ_URL', string> {
    const { firewalls, pooler, urls } = this;
    return process.endsWith('-0')
      ? {
          DATABASE_URL: firewalls.postgres.url,
          REDIS_URL: firewalls.redis.url,
          RABBITMQ_URL: firewalls.rabbitmq.url,
        }
      : { DATABASE_URL: pooler.urlOf(urls.postgres), REDIS_URL: urls.redis, RABBITMQ_URL: urls.rabbitmq };
  }

  /** Passes nothing more on the connections of now to this server. They stay open, and new ones work. */
  forget(server: ServerName): void {
    this.firewalls[server].silence();
  }

  /** How many of the forgotten connections the processes have not closed yet. */
  keptOf(server: ServerName): number {
    const { url, silentPorts } = this.firewalls[server];
    const open = portsConnectedTo(Number(new URL(url).port));
    return silentPorts.filter((client) => open.has(client)).length;
  }

  /** Closes the forgotten connections: the server learns that they are over. */
  dropForgotten(server: ServerName): void {
    this.firewalls[server].dropSilent();
  }

  /** Ends the pooler with its sessions. */
  async stop(): Promise<void> {
    this.pooler.thaw();
    await Promise.allSettled([this.pooler.stop(), ...SERVERS.map((server) => this.firewalls[server].cut())]);
  }
}
