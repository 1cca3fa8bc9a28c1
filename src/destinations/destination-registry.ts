import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { matchesType } from '../event/type-pattern';
import { DESTINATION_LIMITS, type SealedDestination } from './destination';
import { readDestinationsVersion, readEnabledDestinations } from './destinations.queries';

/** Largest age of a directory in use. This long after a change is committed, every worker applies it. */
export const MOST_AGE_MS = 500;
const REFRESH_AFTER_MS = 200;

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
 * Holds the directory in memory, never older than MOST_AGE_MS. There is no timer: callers refresh it. They compare one
 * version number, which every change raises. They do so in the background while the directory is younger than
 * MOST_AGE_MS, and otherwise before they proceed. An idle worker sends no query and a busy one five a second, so an
 * event of a tenant without destinations costs one look-up in a map.
 */
@Injectable()
export class DestinationRegistry {
  private directory = new Directory([]);
  private version: string | undefined;
  /** When the latest check started, in ms of performance.now(). The directory is at least as new. */
  private checkedMs = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | undefined;
  private readonly listeners: ((directory: Directory) => void)[] = [];

  constructor(private readonly pool: Pool) {}

  /** Returns the directory. @throws the error of PostgreSQL when the directory is too old and cannot be refreshed. */
  async current(): Promise<Directory> {
    const ageMs = performance.now() - this.checkedMs;
    if (ageMs > MOST_AGE_MS) await this.refresh();
    // Refreshed in the background. If that fails, the first caller after MOST_AGE_MS gets the error.
    else if (ageMs > REFRESH_AFTER_MS) this.refresh().catch(() => undefined);
    return this.directory;
  }

  /** Called with every new directory. */
  onChange(listener: (directory: Directory) => void): void {
    this.listeners.push(listener);
  }

  /** Makes the next call of `current` compare versions first. */
  invalidate(): void {
    this.checkedMs = Number.NEGATIVE_INFINITY;
  }

  private refresh(): Promise<void> {
    this.refreshing ??= this.read().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async read(): Promise<void> {
    const startedMs = performance.now();
    const version = await readDestinationsVersion(this.pool);
    // The version is read first: a change between the two reads is then loaded twice instead of missed.
    if (version !== this.version) {
      this.directory = new Directory(await readEnabledDestinations(this.pool, DESTINATION_LIMITS.ofInstallation));
      this.version = version;
      for (const listener of this.listeners) listener(this.directory);
    }
    this.checkedMs = startedMs;
  }
}
