import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { FreshCopy } from '../db/fresh-copy';
import { matchesType } from '../event/type-pattern';
import { DESTINATION_LIMITS, type SealedDestination } from './destination';
import { readDestinationsVersion, readEnabledDestinations } from './destinations.queries';

/** A snapshot of all enabled destinations of the installation. */
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
 * Holds the directory in memory, never older than MOST_AGE_MS (fresh-copy.ts). An event of a tenant without
 * destinations costs one look-up in a map.
 */
@Injectable()
export class DestinationRegistry {
  private directory = new Directory([]);
  private version: string | undefined;
  private readonly copy = new FreshCopy(() => this.read());
  private readonly listeners: ((directory: Directory) => void)[] = [];

  constructor(private readonly pool: Pool) {}

  /** Returns the directory. @throws the error of PostgreSQL when the directory is too old and cannot be refreshed. */
  async current(): Promise<Directory> {
    await this.copy.ensure();
    return this.directory;
  }

  /** Called with every new directory. */
  onChange(listener: (directory: Directory) => void): void {
    this.listeners.push(listener);
  }

  /** Makes the next call of `current` compare versions first. */
  invalidate(): void {
    this.copy.invalidate();
  }

  private async read(): Promise<void> {
    // The version is read first: a change between the two reads is then loaded twice instead of missed.
    const version = await readDestinationsVersion(this.pool);
    if (version === this.version) return;
    this.directory = new Directory(await readEnabledDestinations(this.pool, DESTINATION_LIMITS.ofInstallation));
    this.version = version;
    for (const listener of this.listeners) listener(this.directory);
  }
}
