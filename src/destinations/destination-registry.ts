import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { FreshCopy } from '../db/fresh-copy';
import { matchesType } from '../event/type-pattern';
import { DESTINATION_LIMITS, type SealedDestination } from './destination';
import { isGraveEnough } from './operator/operator-rules';
import { EventFilters } from './render/event-filters';
import { readDestinations, readDestinationsVersion } from './destinations.queries';

/** What decides where an event goes. `body` is the normalised event as JSON. */
export interface RoutedEvent {
  tenantId: string;
  type: string;
  body: Buffer;
}

/** A snapshot of all destinations of the installation. */
export class Directory {
  readonly byId: ReadonlyMap<string, SealedDestination>;
  /** Those that are enabled. */
  readonly destinations: readonly SealedDestination[];
  private readonly byTenant = new Map<string, SealedDestination[]>();

  constructor(
    all: readonly SealedDestination[],
    private readonly filters: EventFilters,
  ) {
    this.byId = new Map(all.map((destination) => [destination.id, destination]));
    this.destinations = all.filter(({ enabled }) => enabled);
    for (const destination of all) {
      const ofTenant = this.byTenant.get(destination.tenantId);
      if (ofTenant) ofTenant.push(destination);
      else this.byTenant.set(destination.tenantId, [destination]);
    }
  }

  has(event: RoutedEvent): boolean {
    return this.byTenant.get(event.tenantId)?.some((one) => one.enabled && this.isFor(one, event)) ?? false;
  }

  of(event: RoutedEvent): SealedDestination[] {
    return this.byTenant.get(event.tenantId)?.filter((one) => one.enabled && this.isFor(one, event)) ?? [];
  }

  /** Returns the destinations for an event, disabled and paused ones too. */
  all(event: RoutedEvent): readonly SealedDestination[] {
    return this.byTenant.get(event.tenantId)?.filter((destination) => this.isFor(destination, event)) ?? NONE;
  }

  private isFor(destination: SealedDestination, { type, body }: RoutedEvent): boolean {
    return (
      matchesType(destination.eventTypes, type) &&
      isGraveEnough(destination, type) &&
      this.filters.matches(destination, body)
    );
  }
}

const NONE: readonly SealedDestination[] = [];

/**
 * Holds the directory in memory, never older than MOST_AGE_MS (fresh-copy.ts). An event of a tenant without
 * destinations costs one look-up in a map.
 */
@Injectable()
export class DestinationRegistry {
  private readonly filters = new EventFilters();
  private directory = new Directory([], this.filters);
  private version: string | undefined;
  private readonly copy = new FreshCopy(() => this.read());
  private readonly listeners: ((directory: Directory) => void)[] = [];

  constructor(private readonly pool: Pool) {}

  /** Returns the directory. @throws the error of PostgreSQL when the directory is too old and cannot be refreshed. */
  async current(): Promise<Directory> {
    await this.copy.ensure();
    return this.directory;
  }

  /** Returns undefined if the directory is fresh, otherwise the promise to wait for, as FreshCopy.ensure does. */
  refreshed(): Promise<void> | undefined {
    return this.copy.ensure();
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
    const destinations = await readDestinations(this.pool, DESTINATION_LIMITS.ofInstallation);
    this.filters.keepOnly(destinations);
    this.directory = new Directory(destinations, this.filters);
    this.version = version;
    for (const listener of this.listeners) listener(this.directory);
  }
}
