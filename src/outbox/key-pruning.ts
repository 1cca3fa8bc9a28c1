import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { forgetActionKeys } from '../db/retention/action-keys.queries';
import { forgetLatest } from '../delivery-state/order/settled-in-order.queries';
import { pruneKeys, type PruneProgress } from '../db/retention/prune-keys';

const BETWEEN_STEPS_MS = 50;
const BETWEEN_WALKS_MS = 3_600_000;
/** The keys of admin actions are kept for this time. Their entries in the audit trail remain. */
const ACTION_KEY_DAYS = 7;
const ACTION_KEYS_PER_STEP = 1_000;
/** What latestOnly destinations were delivered is kept as long as idempotency keys are. */
const LATEST_PER_STEP = 1_000;

/** Prunes expired idempotency keys, and what is kept as long as they are, continuously, in small steps. Several processes may do so at the same time. */
@Injectable()
export class KeyPruning {
  private readonly logger = new Logger('Key pruning');
  private walk: AsyncGenerator<PruneProgress, void> | undefined;
  private expired = 0;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
  ) {}

  /** Runs one step. Returns the wait before the next one in ms. */
  async runOnce(): Promise<number> {
    this.walk ??= pruneKeys(this.pool, { retentionDays: this.settings.IDEMPOTENCY_DB_RETENTION_DAYS });
    const { walk } = this;
    this.walk = undefined; // a failed step ends the walk, and the next walk starts at the first page
    const step = await walk.next();
    if (!step.done) {
      this.walk = walk;
      this.expired = step.value.expired;
      return BETWEEN_STEPS_MS;
    }
    if (this.expired > 0) this.logger.log(`deleted ${this.expired} idempotency keys past their retention`);
    this.expired = 0;
    const forgotten = await forgetActionKeys(this.pool, {
      retentionDays: ACTION_KEY_DAYS,
      limit: ACTION_KEYS_PER_STEP,
    });
    const latest = await forgetLatest(this.pool, this.settings.IDEMPOTENCY_DB_RETENTION_DAYS, LATEST_PER_STEP);
    const isDone = forgotten < ACTION_KEYS_PER_STEP && latest < LATEST_PER_STEP;
    return isDone ? BETWEEN_WALKS_MS : BETWEEN_STEPS_MS;
  }
}
