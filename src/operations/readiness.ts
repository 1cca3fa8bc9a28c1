import { connect } from 'node:net';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { Pool } from 'pg';
import { Broker, BrokerMisconfigured } from '../broker/broker';
import { IdempotencyCache } from '../redis/idempotency-cache';
import { isAllInOne } from '../config/roles';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Metrics } from '../observability/metrics';

export type Dependency = 'postgres' | 'redis' | 'rabbitmq';

export interface Check {
  status: 'up' | 'down';
  /** Where it runs when it is not a server of its own. */
  embedded?: boolean;
  message?: string;
}

export interface Readiness {
  status: 'ready' | 'degraded' | 'not-ready';
  role: string;
  checks: Partial<Record<Dependency, Check>>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** Asks each dependency that this role uses. Which failures matter is decided in `overall`. */
@Injectable()
export class ReadinessChecks implements BeforeApplicationShutdown {
  private draining = false;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly indicators: HealthIndicatorService,
    private readonly metrics: Metrics,
    @Inject('ReadinessPings') private readonly pings: Partial<Record<Dependency, () => Promise<unknown>>>,
  ) {}

  beforeApplicationShutdown(): void {
    this.draining = true;
  }

  async check(): Promise<Readiness> {
    const embedded = {
      postgres: !this.settings.DATABASE_URL,
      redis: !this.settings.REDIS_URL,
      rabbitmq: !this.settings.RABBITMQ_URL,
    };
    const checks: Readiness['checks'] = {};
    for (const [name, ping] of Object.entries(this.pings) as [Dependency, () => Promise<unknown>][]) {
      checks[name] = { ...(await this.ask(name, ping)), ...(embedded[name] ? { embedded: true } : {}) };
    }
    const role = isAllInOne(this.settings.APP_ROLE) ? 'all' : this.settings.APP_ROLE.join(',');
    return { status: this.draining ? 'not-ready' : overall(this.settings, checks), role, checks };
  }

  private async ask(name: Dependency, ping: () => Promise<unknown>): Promise<Check> {
    let message = 'does not answer'; // most causes name hosts
    const pinged = async (): Promise<void> => {
      try {
        await ping();
      } catch (error) {
        if (error instanceof BrokerMisconfigured) message = error.message;
        throw error;
      }
    };
    const attempt = this.indicators.check(name).attempt(pinged);
    const { status } = (await attempt.withTimeout(CHECK_TIMEOUT_MS))[name];
    this.metrics.dependencyUp.set({ dependency: name }, status === 'up' ? 1 : 0);
    return status === 'up' ? { status } : { status: 'down', message };
  }
}

/**
 * The api accepts as long as PostgreSQL is there; publisher and worker need the broker as well. Redis is never needed,
 * only missed.
 */
function overall(settings: Pick<Settings, 'APP_ROLE'>, checks: Readiness['checks']): Readiness['status'] {
  const down = (name: Dependency) => checks[name]?.status === 'down';
  const needsBroker = !settings.APP_ROLE.includes('api');
  if (down('postgres') || (needsBroker && down('rabbitmq'))) return 'not-ready';
  return down('redis') || down('rabbitmq') ? 'degraded' : 'ready';
}

/** What can be asked in this process. The api has no broker; where it knows of one, it looks whether it is there. */
export const readinessPings = {
  provide: 'ReadinessPings',
  inject: [SETTINGS_TOKEN, Pool, IdempotencyCache, { token: Broker, optional: true }],
  useFactory: (settings: Settings, pool: Pool, cache: IdempotencyCache, broker: Broker | undefined) => {
    const url = settings.RABBITMQ_URL;
    const rabbitmq = broker ? () => broker.ping() : url ? () => canConnect(url) : undefined;
    return {
      postgres: () => pool.query('select 1 from installation'),
      redis: () => cache.ping(),
      ...(rabbitmq ? { rabbitmq } : {}),
    };
  },
};

function canConnect(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === 'amqps:' ? 5671 : 5672) });
    socket.setTimeout(CHECK_TIMEOUT_MS, () => socket.destroy(new Error('timeout')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
