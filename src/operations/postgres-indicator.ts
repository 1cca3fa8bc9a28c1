import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { failureClassOf } from '../db/pg-errors';
import { DeadlineExceeded, withinDeadline } from '../runtime/deadline';
import { PoolTraffic } from './pool-traffic';
import { readPostgresState, readWaitingCommits } from './postgres-probe.queries';

/** The check got no connection, and no answer that would say why. */
const isOfWaiting = (error: unknown): boolean => error instanceof DeadlineExceeded || isPoolTimeout(error);
const isPoolTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('timeout exceeded when trying to connect');

const CHECK_TIMEOUT_MS = 2_000;
/** A commit that is seen waiting may be the end of a long statement. It is looked at again after this time. */
const LOOK_AGAIN_AFTER_MS = 500;

/** Asks PostgreSQL whether processes of this role can do their work. */
@Injectable()
export class PostgresIndicator {
  private readonly traffic: PoolTraffic;

  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'APP_ROLE'>,
    private readonly pool: Pool,
  ) {
    this.traffic = new PoolTraffic(pool);
  }

  /** Down if they cannot. Up with a message if the check found no free connection while statements succeed. */
  async check(): Promise<HealthIndicatorResult<'postgres'>> {
    const indicator = this.indicators.check('postgres');
    try {
      const fault = await withinDeadline(CHECK_TIMEOUT_MS, this.fault());
      return fault === undefined ? indicator.up() : indicator.down(fault);
    } catch (error) {
      if (isOfWaiting(error) && this.traffic.isBusy())
        return indicator.up('all connections of this process are in use');
      return indicator.down(failureClassOf(error)?.says ?? 'does not answer');
    }
  }

  private async fault(): Promise<string | undefined> {
    const { isReadOnly, missing, refused, waitingCommits } = await readPostgresState(this.pool, this.settings.APP_ROLE);
    if (isReadOnly) return 'is read-only';
    if (missing > 0) return `lacks ${missing} tables that this role needs`;
    if (refused > 0) return `refuses rights that this role needs on ${refused} tables`;
    if (waitingCommits.length > 0 && (await this.goOnWaiting(waitingCommits)))
      return 'lets commits wait for a synchronous standby';
    return undefined;
  }

  private async goOnWaiting(commits: readonly string[]): Promise<boolean> {
    await sleep(LOOK_AGAIN_AFTER_MS);
    const waiting = await readWaitingCommits(this.pool);
    return commits.some((commit) => waiting.includes(commit));
  }
}
