import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { ContentRules } from '../../event/prepare-event';
import { readLegacyKeysEnd } from './legacy-keys.queries';

const READ_AGAIN_AFTER_MS = 1_000;

/**
 * The rules by which events are prepared: the settings, and whether keys of an earlier build may still be stored. Until
 * the database has said that there are none, they may: looking them up costs time and changes nothing else.
 */
@Injectable()
export class CurrentRules implements OnApplicationBootstrap {
  private readonly logger = new Logger('Ingest');
  private readonly plain: ContentRules;
  private readonly besideLegacy: ContentRules;
  private legacyUntilMs: number | undefined;
  private nextReadMs = 0;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
  ) {
    const { MAX_EVENT_BYTES, DEDUPE_STRATEGY, DEDUPE_INCLUDE_EVENT_ID, DEDUPE_INCLUDE_OCCURRED_AT } = settings;
    this.plain = { MAX_EVENT_BYTES, DEDUPE_STRATEGY, DEDUPE_INCLUDE_EVENT_ID, DEDUPE_INCLUDE_OCCURRED_AT };
    this.besideLegacy = { ...this.plain, checksLegacyKeys: true };
  }

  onApplicationBootstrap(): void {
    void this.read();
  }

  current(): ContentRules {
    const nowMs = performance.now();
    if (this.legacyUntilMs === undefined && nowMs >= this.nextReadMs) void this.read();
    return this.legacyUntilMs !== undefined && nowMs >= this.legacyUntilMs ? this.plain : this.besideLegacy;
  }

  private async read(): Promise<void> {
    this.nextReadMs = performance.now() + READ_AGAIN_AFTER_MS;
    try {
      const leftSeconds = await readLegacyKeysEnd(this.pool, this.settings.IDEMPOTENCY_DB_RETENTION_DAYS);
      this.legacyUntilMs = leftSeconds === null ? 0 : performance.now() + leftSeconds * 1_000;
    } catch (error) {
      this.logger.debug({ msg: 'ingest.legacy-keys-unknown', err: error }); // the events themselves report the outage
    }
  }
}
