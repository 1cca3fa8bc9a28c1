import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { FreshCopy } from '../../db/fresh-copy';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { LiveSource } from './live-source';
import { SOURCE_LIMITS } from './source';
import { digestOfToken } from './source-token';
import { readSources, readSourcesVersion } from './sources.queries';
import { ProviderKeys } from '../verification/provider-keys';
import { timeOfDayMs } from '../../event/time-of-day';

interface OwnerOfToken {
  source: LiveSource;
  /** When a previous token ends. */
  untilMs?: number;
}

/** Holds all sources in memory, never older than MOST_AGE_MS (fresh-copy.ts). A request sends no query. */
@Injectable()
export class SourceRegistry {
  private byToken = new Map<string, OwnerOfToken>();
  /**
   * The owners of tokens that were looked up since the sources were read, by the text of the token. Saves a digest for
   * each request. A Map compares texts only where their hashes are equal, and V8 seeds these hashes at random, so the
   * time of a look-up tells nothing about a token.
   */
  private known = new Map<string, OwnerOfToken>();
  private byId = new Map<string, LiveSource>();
  private version: string | undefined;
  private readonly copy = new FreshCopy(() => this.read());

  constructor(
    private readonly pool: Pool,
    private readonly key: SecretKey,
    private readonly providerKeys: ProviderKeys,
  ) {}

  /** Returns a promise to wait for before `withToken`, or undefined if there is nothing to wait for. */
  ensureFresh(): Promise<void> | undefined {
    return this.copy.ensure();
  }

  /** Returns the source that a token belongs to. */
  withToken(token: string): LiveSource | undefined {
    const owner = this.known.get(token) ?? this.ownerOf(token);
    return owner && (owner.untilMs === undefined || owner.untilMs > timeOfDayMs()) ? owner.source : undefined;
  }

  private ownerOf(token: string): OwnerOfToken | undefined {
    const digest = digestOfToken(token);
    const owner = digest === undefined ? undefined : this.byToken.get(digest);
    if (owner) this.known.set(token, owner); // at most as many as there are digests
    return owner;
  }

  /** Returns a source by its id. Call `ensureFresh` before. */
  withId(id: string): LiveSource | undefined {
    return this.byId.get(id);
  }

  /** Makes the next call of `ensureFresh` compare versions first. */
  invalidate(): void {
    this.copy.invalidate();
  }

  private async read(): Promise<void> {
    // The version is read first: a change between the two reads is then loaded twice instead of missed.
    const version = await readSourcesVersion(this.pool);
    if (version === this.version) return;
    const box = await this.key.box();
    const rows = await readSources(this.pool, SOURCE_LIMITS.ofInstallation);
    const byToken = new Map<string, OwnerOfToken>();
    const byId = new Map<string, LiveSource>();
    for (const row of rows) {
      const known = this.byId.get(row.id);
      const source = known?.row.revision === row.revision ? known : new LiveSource(row, box, this.providerKeys);
      byId.set(row.id, source);
      byToken.set(row.tokenDigest.toString('hex'), { source });
      const { previousTokenDigest: previous, previousTokenUntil: until } = row;
      if (previous && until !== null) byToken.set(previous.toString('hex'), { source, untilMs: Date.parse(until) });
    }
    this.byToken = byToken;
    this.known = new Map();
    this.byId = byId;
    this.version = version;
  }
}
