import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { recordSystemAction } from '../audit/system-actions.queries';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ADVISORY_LOCKS, tryTransactionLock } from '../db/advisory-locks';
import { inTransaction, type Db } from '../db/pool';
import { closeDestination } from '../delivery-state/close-destination.queries';
import { readLongFailing } from '../delivery-state/destination-failures.queries';
import { DestinationRegistry } from '../destinations/destination-registry';
import { disableDestination } from '../destinations/destinations.queries';

const ANSWERED_GONE = 'answered 410 Gone';
/** A chore closes the others. */
const MOST_CLOSED_AT_ONCE = 1_000;
const MOST_DISABLED_AT_ONCE = 100;
const EVERY_MS = 60_000;

/** Disables destinations that are gone, or that do nothing but fail for DESTINATION_DISABLE_AFTER_HOURS. */
@Injectable()
export class DisableDestinations {
  private readonly logger = new Logger('Destinations');

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly registry: DestinationRegistry,
  ) {}

  /** For a destination that answered 410. */
  async gone(destinationId: string, correlationId: string): Promise<void> {
    const isDisabled = await inTransaction(this.pool, (db) =>
      this.disable(db, destinationId, ANSWERED_GONE, correlationId),
    );
    if (isDisabled) await this.disabled([destinationId], ANSWERED_GONE);
  }

  /** One process at a time does this. Returns the wait before the next run in ms. */
  async runOnce(): Promise<number> {
    const hours = this.settings.DESTINATION_DISABLE_AFTER_HOURS;
    const reason = `no success for ${hours} hours`;
    const ids = await inTransaction(this.pool, async (db) => {
      if (!(await tryTransactionLock(db, ADVISORY_LOCKS.failingDestinations))) return [];
      const failing = await readLongFailing(db, hours, MOST_DISABLED_AT_ONCE);
      const disabled: string[] = [];
      for (const id of failing) if (await this.disable(db, id, reason)) disabled.push(id);
      return disabled;
    });
    if (ids.length > 0) await this.disabled(ids, reason);
    return ids.length === MOST_DISABLED_AT_ONCE ? 0 : EVERY_MS;
  }

  private async disable(db: Db, id: string, note: string, correlationId?: string): Promise<boolean> {
    const destination = (await this.registry.current()).byId.get(id);
    if (!(await disableDestination(db, id, note))) return false;
    const filter = { id, tenantId: destination?.tenantId, url: destination?.url };
    await recordSystemAction(db, {
      action: 'destination.disable',
      filter,
      counts: { matched: 1 },
      note,
      ...(destination ? { tenantId: destination.tenantId } : {}),
      ...(correlationId === undefined ? {} : { correlationId }),
    });
    return true;
  }

  private async disabled(ids: readonly string[], reason: string): Promise<void> {
    this.registry.invalidate();
    for (const destinationId of ids) {
      this.logger.warn({ msg: `destination is disabled: ${reason}`, destinationId });
      await closeDestination(this.pool, destinationId, MOST_CLOSED_AT_ONCE);
    }
  }
}
