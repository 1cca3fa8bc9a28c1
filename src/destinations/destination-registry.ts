import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { matchesType } from '../event/type-pattern';
import { DESTINATION_LIMITS, type SealedDestination } from './destination';
import { readDestinationsVersion, readEnabledDestinations } from './destinations.queries';

/** Nobody decides by what is older than this; so long after a change is committed, every worker heeds it. */
export const MOST_AGE_MS = 500;
const REFRESH_AFTER_MS = 200;

/** All enabled destinations of the installation at one moment. */
export class Directory {
  private readonly byTenant = new Map<string, SealedDestination[]>();

  constructor(readonly destinations: readonly SealedDestination[]) {
    for (const destination of destinations) {
      const ofTenant = this.byTenant.get(destination.tenantId);
      if (ofTenant) ofTenant.push(destination);
      else this.byTenant.set(destination.tenantId, [destination]);
    }
  }

  has({ tenantId, type }: { tenantId: string; type: string }): boolean {
    return this.byTenant.get(tenantId)?.some(({ eventTypes }) => matchesType(eventTypes, type)) ?? false;
  }

  of({ tenantId, type }: { tenantId: string; type: string }): SealedDestination[] {
    return this.byTenant.get(tenantId)?.filter(({ eventTypes }) => matchesType(eventTypes, type)) ?? [];
  }
}

/**
 * The directory, in memory, never older than MOST_AGE_MS. There is no timer: who asks pays, with a look at one number
 * that every change raises, beside its work while the directory is young and before it when it is not. An idle worker
 * asks nothing, a busy one five times a second, so an event of a tenant without destinations costs a look into a map.
 */
@Injectable()
export class DestinationRegistry {
  private directory = new Directory([]);
  private version: string | undefined;
  /** When the newest look began; what it saw is at least as new. */
  private seenMs = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined;
  private readonly listeners: ((directory: Directory) => void)[] = [];

  constructor(private readonly pool: Pool) {}

  /** @throws when it is too old and PostgreSQL does not answer */
  async current(): Promise<Directory> {
    const ageMs = performance.now() - this.seenMs;
    if (ageMs > MOST_AGE_MS) await this.look();
    // In the background; if it fails, the next one that needs it finds out.
    else if (ageMs > REFRESH_AFTER_MS) this.look().catch(() => undefined);
    return this.directory;
  }

  /** Called with every new directory. */
  onChange(listener: (directory: Directory) => void): void {
    this.listeners.push(listener);
  }

  /** Makes the next question look. */
  invalidate(): void {
    this.seenMs = Number.NEGATIVE_INFINITY;
  }

  private look(): Promise<void> {
    this.looking ??= this.read().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async read(): Promise<void> {
    const startedMs = performance.now();
    const version = await readDestinationsVersion(this.pool);
    // The number first: a change between the two reads is seen again, and not missed.
    if (version !== this.version) {
      this.directory = new Directory(await readEnabledDestinations(this.pool, DESTINATION_LIMITS.ofInstallation));
      this.version = version;
      for (const listener of this.listeners) listener(this.directory);
    }
    this.seenMs = startedMs;
  }
}
