import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { loggedCause } from '../db/outages';
import { Loop } from '../runtime/loop';
import { recordKeyUses, recordOperatorUses, type Use } from './last-used.queries';
import { timeOfDayMs } from '../event/time-of-day';

const FLUSH_EVERY_MS = 60_000;

/**
 * Remembers when keys and operator tokens were used, and stores it once a minute. A process that crashes loses up to a
 * minute of it. Each map holds at most one entry per live credential.
 */
@Injectable()
export class LastUsed implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private uses = { key: new Map<string, number>(), operator: new Map<string, number>() };
  private readonly loop = new Loop('Last used', () => this.runOnce());
  private readonly logger = new Logger('Access');

  constructor(private readonly pool: Pool) {}

  note(kind: 'key' | 'operator', id: string): void {
    this.uses[kind].set(id, timeOfDayMs());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    try {
      await this.flush();
    } catch (error) {
      // The rest of the shutdown must go on while PostgreSQL is down.
      this.logger.warn({ msg: 'the last uses of keys were not stored', ...loggedCause(error) });
    }
  }

  private async runOnce(): Promise<number> {
    await this.flush();
    return FLUSH_EVERY_MS;
  }

  /** What cannot be stored is dropped: the next use is newer. */
  private async flush(): Promise<void> {
    const { key, operator } = this.uses;
    this.uses = { key: new Map(), operator: new Map() };
    if (key.size > 0) await recordKeyUses(this.pool, usesOf(key));
    if (operator.size > 0) await recordOperatorUses(this.pool, usesOf(operator));
  }
}

function usesOf(times: ReadonlyMap<string, number>): Use[] {
  return [...times].map(([id, atMs]) => ({ id, at: new Date(atMs).toISOString() }));
}
