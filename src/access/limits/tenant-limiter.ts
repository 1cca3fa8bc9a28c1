import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { TENANT_COUNTER, type WindowCounter } from '../../redis/window-counter';
import type { Allowance } from './allowance';
import { Meter, type Reservation } from './meter';

/** Streams leave this share of a limit to single events. */
const SHARE_OF_SINGLE_EVENTS = 1 / 10;

/**
 * Limits the events of a tenant per minute. An accepted or rejected event costs one, a duplicate costs nothing. Callers
 * reserve events before anything is looked up and give back those that cost nothing.
 */
@Injectable()
export class TenantLimiter {
  private readonly events: Meter;
  /** What all streams of a tenant together may use of the limit. A limit of 1 is theirs as well. */
  readonly streamLimit: number;

  constructor(@Inject(SETTINGS_TOKEN) settings: Settings, @Inject(TENANT_COUNTER) counter: WindowCounter) {
    const limit = settings.TENANT_RATE_LIMIT_PER_MINUTE;
    this.events = new Meter(limit, counter);
    this.streamLimit = Math.max(1, limit - Math.ceil(limit * SHARE_OF_SINGLE_EVENTS));
  }

  get isOff(): boolean {
    return this.events.limit === 0;
  }

  /** Reserves one event. Its reservation has no points when the limit is used up. */
  reserveSingle(tenantId: string): Promise<Reservation> {
    return this.events.reserve(tenantId, 'single', 1);
  }

  /** Reserves up to `wanted` events of a stream, as long as the tenant's count stays at or below `upTo`. */
  reserveForStream(tenantId: string, wanted: number, upTo: number): Promise<Reservation> {
    return this.events.reserve(tenantId, 'stream', wanted, upTo);
  }

  /** Returns events of a reservation that cost nothing. */
  giveBack(reservation: Reservation, events: number): void {
    this.events.giveBack(reservation, events);
  }

  /** The tenant's count as last seen, and how long its window still lasts. */
  seen(tenantId: string): { used: number; endsInMs: number } {
    return this.events.seen(tenantId);
  }

  /** Returns what the tenant may still send; undefined when there is no limit. */
  allowance(tenantId: string): Allowance | undefined {
    return this.events.allowance(tenantId);
  }

  /** Returns the problem to send when too few events could be reserved. */
  problem(tenantId: string, why = ''): Problem {
    return new Problem(
      'tenant-rate-limited',
      `A tenant may send at most ${this.events.limit} events per minute.${why}`,
      {
        retryAfterSeconds: this.allowance(tenantId)?.resetSeconds ?? 1,
      },
    );
  }
}
