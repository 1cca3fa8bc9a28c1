import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { recordSystemAction } from '../audit/system-actions.queries';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ADVISORY_LOCKS, tryTransactionLock } from '../db/advisory-locks';
import { inTransaction, type Db } from '../db/pool';
import { closeDestination } from '../delivery-state/close-destination.queries';
import { excuseFailures, forgetStrayFailures, readLongFailing } from '../delivery-state/destination-failures.queries';
import type { Destination } from '../destinations/destination';
import { DestinationRegistry } from '../destinations/destination-registry';
import { disableDestination } from '../destinations/destinations.queries';
import { ProxyHealth } from '../observability/proxy-health';
import { eachInTurn } from '../runtime/loops/each-in-turn';

const ANSWERED_GONE = 'answered 410 Gone';
/** A chore closes the others. */
const MOST_CLOSED_AT_ONCE = 1_000;
const MOST_DISABLED_AT_ONCE = 100;
const MOST_FORGOTTEN_AT_ONCE = 1_000;
const EVERY_MS = 60_000;

/** What is known of the destination whose answers are the reason. */
type SeenDestination = Pick<Destination, 'id' | 'revision'> & Partial<Pick<Destination, 'tenantId' | 'url'>>;

/**
 * Disables destinations that are gone, or that do nothing but fail for DESTINATION_DISABLE_AFTER_HOURS. The time of an
 * outage of our own proxy does not count.
 */
@Injectable()
export class DisableDestinations {
  private readonly logger = new Logger('Destinations');

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly registry: DestinationRegistry,
    private readonly proxy: ProxyHealth,
  ) {}

  /** For a destination that answered 410. One that has been changed since is left as it is. */
  async gone({ id, revision, tenantId, url }: Destination, correlationId: string): Promise<void> {
    const seen = { id, revision, tenantId, url };
    const isDisabled = await inTransaction(this.pool, (db) => this.disable(db, seen, ANSWERED_GONE, correlationId));
    if (isDisabled) await this.disabled([id], ANSWERED_GONE);
  }

  /**
   * Of many processes one disables them, each in a transaction of its own. Each process excuses what its own proxy has kept
   * from being sent. Returns the wait before the next run in ms.
   */
  async runOnce(): Promise<number> {
    const hours = this.settings.DESTINATION_DISABLE_AFTER_HOURS;
    const reason = `no success for ${hours} hours`;
    if (this.proxy.fault() !== undefined) await excuseFailures(this.pool);
    const { byId } = await this.registry.current(); // before the transactions, which would wait for a second connection
    const ids: string[] = [];
    try {
      await eachInTurn(await readLongFailing(this.pool, hours, MOST_DISABLED_AT_ONCE), async ({ id }) => {
        if (await this.disableIfStillFailing(id, byId.get(id), reason)) ids.push(id);
      });
    } finally {
      if (ids.length > 0) await this.disabled(ids, reason);
    }
    await forgetStrayFailures(this.pool, MOST_FORGOTTEN_AT_ONCE);
    return ids.length === MOST_DISABLED_AT_ONCE ? 0 : EVERY_MS;
  }

  /** Looks again, since it may have had a success meanwhile. */
  private disableIfStillFailing(id: string, known: Destination | undefined, reason: string): Promise<boolean> {
    return inTransaction(this.pool, async (db) => {
      if (!(await tryTransactionLock(db, ADVISORY_LOCKS.failingDestinations))) return false;
      const [found] = await readLongFailing(db, this.settings.DESTINATION_DISABLE_AFTER_HOURS, 1, id);
      if (!found) return false;
      return this.disable(db, { ...found, tenantId: known?.tenantId, url: known?.url }, reason);
    });
  }

  private async disable(
    db: Db,
    { id, revision, tenantId, url }: SeenDestination,
    note: string,
    correlationId?: string,
  ): Promise<boolean> {
    if (!(await disableDestination(db, id, revision, note))) return false;
    await recordSystemAction(db, {
      action: 'destination.disable',
      filter: { id, tenantId, url },
      counts: { matched: 1 },
      note,
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(correlationId === undefined ? {} : { correlationId }),
    });
    return true;
  }

  private async disabled(ids: readonly string[], reason: string): Promise<void> {
    this.registry.invalidate();
    for (const destinationId of ids) this.logger.warn({ msg: `destination is disabled: ${reason}`, destinationId });
    await eachInTurn(ids, async (destinationId) => {
      await inTransaction(this.pool, (db) => closeDestination(db, destinationId, MOST_CLOSED_AT_ONCE));
    });
  }
}
