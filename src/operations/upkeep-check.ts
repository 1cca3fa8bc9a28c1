import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { loggedCause } from '../db/outages';
import { listChoreRecords } from '../db/retention/chore-records.queries';
import { CHORES, overdueChores, type Chore, type OverdueChore } from '../db/retention/chores';
import { Metrics } from '../observability/metrics';
import { withinDeadline } from '../runtime/deadline';

const READ_WITHIN_MS = 2_000;

/** Looks in publishers, which carry out the chores, whether one is overdue. */
@Injectable()
export class UpkeepCheck {
  private readonly logger = new Logger('Upkeep');
  /** How long the process has run. One that has just started had no time for its chores yet. */
  upSeconds = (): number => process.uptime();

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'APP_ROLE'>,
    private readonly pool: Pool,
    private readonly metrics: Metrics,
  ) {}

  /** Returns undefined while nothing is overdue. Never throws: without PostgreSQL, its own check says so. */
  async check(): Promise<{ status: 'down'; message: string } | undefined> {
    if (!this.settings.APP_ROLE.includes('publisher')) return undefined;
    const overdue = await this.overdue(this.upSeconds());
    const seconds = new Map(overdue.map((one) => [one.name, one.overdueSeconds]));
    for (const chore of Object.keys(CHORES) as Chore[]) {
      this.metrics.choreOverdue.set({ chore }, seconds.get(chore) ?? 0);
    }
    if (overdue.length === 0) return undefined;
    return { status: 'down', message: overdue.map(({ name, why }) => `${name} ${why}`).join('; ') };
  }

  private async overdue(upSeconds: number): Promise<OverdueChore[]> {
    try {
      const records = await withinDeadline(READ_WITHIN_MS, listChoreRecords(this.pool));
      return overdueChores(records.map((one) => ({ ...one, ageSeconds: Math.min(one.ageSeconds, upSeconds) })));
    } catch (error) {
      this.logger.debug({ msg: 'the records of the chores could not be read', ...loggedCause(error) });
      return [];
    }
  }
}
