import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { isAllInOne } from '../config/roles';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import type { FailureClass } from '../db/failure-classes';
import { recentOutage } from '../db/outages';
import { ProxyHealth } from '../observability/proxy-health';
import { WorkProgress } from '../observability/work-progress';
import { ClockIndicator, RabbitIndicator, RedisIndicator } from './health-indicators';
import { PostgresIndicator } from './postgres-indicator';
import { UpkeepCheck } from './upkeep-check';

export type Dependency = 'postgres' | 'redis' | 'rabbitmq';

/** A worker that holds messages for this long and settles none of them is stuck. */
const STALLED_AFTER_MS = 60_000;

export interface Check {
  status: 'up' | 'down';
  /** Why it is down, or what does not work although it is up. */
  message?: string;
  /** The dependency runs inside this process or is started by it. */
  embedded?: boolean;
}

export interface Readiness {
  status: 'ready' | 'degraded' | 'not-ready';
  role: string;
  checks: Partial<Record<Dependency | 'worker' | 'upkeep' | 'clock' | 'proxy', Check>>;
}

/** Checks each dependency that this role uses. `overall` decides which failures matter. */
@Injectable()
export class ReadinessChecks implements BeforeApplicationShutdown {
  private draining = false;
  private checking: Promise<Readiness> | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly postgres: PostgresIndicator,
    private readonly redis: RedisIndicator,
    private readonly rabbit: RabbitIndicator,
    private readonly clock: ClockIndicator,
    private readonly progress: WorkProgress,
    private readonly upkeep: UpkeepCheck,
    private readonly proxy: ProxyHealth,
    @InjectMetric('streamforge_dependency_up') private readonly dependencyUp: Gauge<'dependency'>,
  ) {}

  /** From now on /ready is 503, so that load balancers send requests elsewhere. */
  drain(): void {
    this.draining = true;
  }

  beforeApplicationShutdown(): void {
    this.drain();
  }

  /** Calls at the same time share one check: anybody may call /ready, and each check asks every dependency. */
  async check(): Promise<Readiness> {
    this.checking ??= this.checkAll().finally(() => (this.checking = undefined));
    const readiness = await this.checking;
    return this.draining ? { ...readiness, status: 'not-ready' } : readiness;
  }

  private async checkAll(): Promise<Readiness> {
    const indicators = [this.postgres, this.redis, this.rabbit];
    const [clockFault, ...results] = await Promise.all([
      this.clock.fault(),
      ...indicators.map((indicator) => indicator.check()),
    ]);
    const checks: Readiness['checks'] = {};
    for (const [name, detail] of results.flatMap((result) => Object.entries(result))) {
      const dependency = name as Dependency;
      const check = toCheck(detail as Check);
      const seen = dependency === 'postgres' ? withOutage(check, recentOutage()) : check;
      checks[dependency] = { ...seen, ...this.embedded(dependency) };
      this.dependencyUp.set({ dependency }, seen.status === 'up' ? 1 : 0);
    }
    const stuck = stuckWorker(this.progress, performance.now());
    if (stuck) checks.worker = stuck;
    const upkeep = checks.postgres?.status === 'up' ? await this.upkeep.check() : undefined;
    if (upkeep) checks.upkeep = upkeep;
    if (clockFault !== undefined) checks.clock = { status: 'down', message: clockFault };
    const proxyFault = this.proxy.fault();
    if (proxyFault !== undefined) checks.proxy = { status: 'down', message: proxyFault };
    if (this.settings.DESTINATIONS_PROXY_URL !== undefined)
      this.dependencyUp.set({ dependency: 'proxy' }, proxyFault === undefined ? 1 : 0);
    const role = isAllInOne(this.settings.APP_ROLE) ? 'all' : this.settings.APP_ROLE.join(',');
    return { status: overall(this.settings, checks), role, checks };
  }

  private embedded(dependency: Dependency): Pick<Check, 'embedded'> {
    const url = { postgres: 'DATABASE_URL', redis: 'REDIS_URL', rabbitmq: 'RABBITMQ_URL' } as const;
    return this.settings[url[dependency]] ? {} : { embedded: true };
  }
}

/** Leaves out the response time, which Terminus adds. */
function toCheck({ status, message }: Check): Check {
  return { status, ...(message === undefined ? {} : { message }) };
}

/** Adds what statements of this process have met in the last seconds, and the check of PostgreSQL has not. */
export function withOutage(check: Check, outage: FailureClass | undefined): Check {
  if (!outage || check.status === 'down') return check;
  const { readiness, says } = outage;
  return readiness === 'not-ready'
    ? { status: 'down', message: says }
    : { status: 'up', message: `some statements fail: it ${says}` };
}

/** Not a dependency, so only shown while the worker of this process does not go on with what it holds. */
export function stuckWorker(progress: WorkProgress, nowMs: number): Check | undefined {
  const stall = progress.longestStall(nowMs);
  if (!stall || stall.forMs < STALLED_AFTER_MS) return undefined;
  const seconds = Math.floor(stall.forMs / 1_000);
  return { status: 'down', message: `has settled nothing for ${seconds} s, with ${stall.inHand} messages in hand` };
}

/**
 * The api accepts events as long as PostgreSQL answers; publisher and worker need the broker as well. No role needs
 * Redis. A worker that is stuck is not ready, whatever else the process does. With a wrong clock or
 * without the proxy of destinations, all else goes on.
 */
function overall(settings: Pick<Settings, 'APP_ROLE'>, checks: Readiness['checks']): Readiness['status'] {
  const down = (name: keyof Readiness['checks']) => checks[name]?.status === 'down';
  const needsBroker = !settings.APP_ROLE.includes('api');
  if (down('worker') || down('postgres') || (needsBroker && down('rabbitmq'))) return 'not-ready';
  const isLimping = checks.postgres?.message !== undefined;
  const isDegraded = (['upkeep', 'clock', 'proxy', 'redis', 'rabbitmq'] as const).some(down);
  return isLimping || isDegraded ? 'degraded' : 'ready';
}
