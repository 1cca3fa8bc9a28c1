import { connect } from 'node:net';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import { Pool } from 'pg';
import type { Gauge } from 'prom-client';
import { Broker, BrokerMisconfigured } from '../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { readClock } from '../db/clock.queries';
import { aheadMs, clockFault, followClock, lookAtClockBy, type ClockReading } from '../event/time-of-day';
import { IdempotencyCache } from '../redis/idempotency-cache';
import { withinDeadline } from '../runtime/deadline';

const CHECK_TIMEOUT_MS = 2_000;
const NO_ANSWER = 'does not answer';

const READ_AGAIN_AFTER_MS = 1_000;

/** A clock that differs from PostgreSQL's stops nothing: the process goes by PostgreSQL's (event/time-of-day.ts). */
@Injectable()
export class ClockIndicator {
  private readAtMs = -Infinity;
  /** Goes on when its time is over: it still has its connection. */
  private looking: Promise<ClockReading> | undefined;

  constructor(
    private readonly pool: Pool,
    @InjectMetric('streamforge_clock_ahead_seconds') private readonly ahead: Gauge,
  ) {
    lookAtClockBy(() => {
      if (performance.now() - this.readAtMs >= READ_AGAIN_AFTER_MS) void this.fault();
    });
  }

  /**
   * Looks at PostgreSQL's clock, which the process then follows if its own is wrong. Returns what is wrong with the clock
   * of this machine; undefined if nothing is, or PostgreSQL does not answer.
   */
  async fault(): Promise<string | undefined> {
    this.readAtMs = performance.now();
    this.looking ??= readClock(this.pool).finally(() => (this.looking = undefined));
    try {
      const reading = await withinDeadline(CHECK_TIMEOUT_MS, this.looking, { unref: true });
      followClock(reading);
      const differenceMs = aheadMs(reading);
      this.ahead.set(differenceMs / 1_000);
      return clockFault(differenceMs);
    } catch {
      return undefined; // the check of PostgreSQL says so
    }
  }
}

@Injectable()
export class RedisIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly cache: IdempotencyCache,
  ) {}

  async check(): Promise<HealthIndicatorResult<'redis'>> {
    const attempt = this.indicators.check('redis').attempt(() => ping(() => this.cache.ping()));
    return attempt.withTimeout(CHECK_TIMEOUT_MS);
  }
}

/** The api has no broker: where it knows the address of one, it only tries to connect. */
@Injectable()
export class RabbitIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Optional() private readonly broker?: Broker,
  ) {}

  /** Returns nothing when this process has no broker to ask. */
  async check(): Promise<HealthIndicatorResult> {
    const { broker } = this;
    const url = this.settings.RABBITMQ_URL;
    const ask = broker ? () => broker.ping() : url ? () => canConnect(url) : undefined;
    if (!ask) return {};
    const attempt = this.indicators.check('rabbitmq').attempt(() => ping(ask));
    return attempt.withTimeout(CHECK_TIMEOUT_MS);
  }
}

/** /ready is public and shows the message of a failure, so the message must not name a host. */
async function ping(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    throw error instanceof BrokerMisconfigured ? error : new Error(NO_ANSWER, { cause: error });
  }
}

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
