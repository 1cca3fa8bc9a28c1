import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { TENANT_BYTES_COUNTER, TENANT_COUNTER, type WindowCounter } from '../../redis/window-counter';
import { AccessDirectory } from '../identity/access-directory';
import type { Allowance } from './allowance';
import { Meter, type Measure, type Reservation } from './meter';

/** Tenants whose refusals are remembered between two looks. Those beyond are refused again soon. */
const MAX_REFUSED = 1_000;

/** A tenant that was refused because this limit of its was used up. */
export interface ReachedLimit {
  tenantId: string;
  measure: Measure;
}

/**
 * Limits the events and the decompressed bytes of a tenant per minute. A tenant without limits of its own has those of
 * the settings. An accepted or rejected event costs one and a duplicate nothing, so events are reserved before anything
 * is looked up, and those that cost nothing are given back. Bytes cost the same whatever becomes of them.
 */
@Injectable()
export class TenantLimiter {
  readonly events: Meter;
  readonly bytes: Meter;
  private refused = new Map<string, ReachedLimit>();

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Settings,
    @Inject(TENANT_COUNTER) eventCounter: WindowCounter,
    @Inject(TENANT_BYTES_COUNTER) byteCounter: WindowCounter,
    directory: AccessDirectory,
  ) {
    const { TENANT_RATE_LIMIT_PER_MINUTE: events, TENANT_RATE_LIMIT_BYTES_PER_MINUTE: bytes } = settings;
    this.events = new Meter('events', (id) => directory.tenant(id)?.eventsPerMinute ?? events, eventCounter);
    this.bytes = new Meter('bytes', (id) => directory.tenant(id)?.bytesPerMinute ?? bytes, byteCounter);
  }

  /**
   * Reserves one event and charges its bytes, or neither. When a limit is used up, returns a reservation without points,
   * whose measure names that limit.
   */
  reserveSingle(tenantId: string, bytes: number): Promise<Reservation> {
    const isUnlimited = this.bytes.limitOf(tenantId) === 0;
    return isUnlimited ? this.events.reserve(tenantId, 'single', 1) : this.reserveBoth(tenantId, bytes);
  }

  private async reserveBoth(tenantId: string, bytes: number): Promise<Reservation> {
    const event = await this.events.reserve(tenantId, 'single', 1);
    if (event.points === 0) return event;
    // Without a body, the limit of bytes may still be used up.
    const charged = await this.bytes.reserveWhole(tenantId, Math.max(1, bytes));
    if (charged.points > 0) return event;
    this.events.giveBack(event, 1);
    return charged;
  }

  /**
   * Reserves all events of a request that is stored as a whole and charges its bytes, or neither. When a limit is used
   * up, returns a reservation without points, whose measure names that limit.
   */
  reserveRequest(tenantId: string, events: number, bytes: number): Promise<Reservation> {
    return events === 1 ? this.reserveSingle(tenantId, bytes) : this.reserveAll(tenantId, events, bytes);
  }

  private async reserveAll(tenantId: string, events: number, bytes: number): Promise<Reservation> {
    const reserved = await this.events.reserveWhole(tenantId, events);
    if (reserved.points === 0 || this.bytes.limitOf(tenantId) === 0) return reserved;
    const charged = await this.bytes.reserveWhole(tenantId, Math.max(1, bytes));
    if (charged.points > 0) return reserved;
    this.events.giveBack(reserved, reserved.points);
    return charged;
  }

  /** Charges further bytes of a request, all or none. Returns false when the limit of bytes is used up. */
  async chargeBytes(tenantId: string, bytes: number): Promise<boolean> {
    return (await this.bytes.reserveWhole(tenantId, bytes)).points > 0;
  }

  /** Returns events of a reservation that cost nothing. */
  giveBack(reservation: Reservation, events: number): void {
    this.events.giveBack(reservation, events);
  }

  /** Returns how many events the tenant may still send; undefined when there is no limit. */
  allowance(tenantId: string): Allowance | undefined {
    return this.events.allowance(tenantId);
  }

  /** Returns the problem to send when too little of a measure could be reserved, and remembers that it was. */
  problem(tenantId: string, measure: Measure, why = ''): Problem {
    const meter = this[measure];
    if (this.refused.size < MAX_REFUSED) this.refused.set(`${tenantId} ${measure}`, { tenantId, measure });
    return new Problem(
      'tenant-rate-limited',
      `A tenant may send at most ${meter.limitOf(tenantId)} ${measure} per minute.${why}`,
      { retryAfterSeconds: meter.allowance(tenantId)?.resetSeconds ?? 1 },
    );
  }

  /** Returns the limits that were reached since the last call. */
  takeReached(): ReachedLimit[] {
    const reached = [...this.refused.values()];
    this.refused = new Map();
    return reached;
  }
}
