import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { DeadlineExceeded, withinDeadline } from '../../runtime/deadline';
import { readHistory } from './history.queries';

/** As long as a look-up in Redis may take. */
const DEADLINE_MS = 250;

/**
 * Asks the database which history it is in (see history.queries.ts). What was remembered in another history may be about
 * events that the database has forgotten. Callers share readings, but never one that began before their call: the
 * database may have gone back since then.
 *
 * The deadline is for PostgreSQL, not for the pool. While all connections are in use, callers wait for one, as everybody
 * does who needs PostgreSQL. If the history counted as unknown then, duplicates would have to be looked up in PostgreSQL,
 * which needs a connection as well: the cache would be off just when it spares the most.
 */
@Injectable()
export class DatabaseHistory {
  private readonly logger = new Logger('DatabaseHistory');
  private running: Promise<unknown> = Promise.resolve();
  /** A reading that has not begun: it waits for the one before it, or for a connection. */
  private next: Promise<string | undefined> | undefined;
  /** A reading has not ended, although its deadline may have passed. It occupies the only connection of this class. */
  private isUnanswered = false;

  constructor(private readonly pool: Pool) {}

  /**
   * Returns the history at a moment after the call; undefined if PostgreSQL does not tell within 250 ms, or if there is no
   * connection within the time for which the pool waits (5 s). Never rejects.
   */
  confirmed(): Promise<string | undefined> {
    this.next ??= this.begin();
    return this.next;
  }

  private async begin(): Promise<string | undefined> {
    await this.running;
    const client = this.isUnanswered ? undefined : await this.connection();
    this.next = undefined;
    if (!client) return undefined;
    const reading = this.read(client);
    this.running = reading;
    return reading;
  }

  private async connection(): Promise<PoolClient | undefined> {
    try {
      return await this.pool.connect();
    } catch (error) {
      return this.unknown(error);
    }
  }

  private async read(client: PoolClient): Promise<string | undefined> {
    const reading = readHistory(client);
    this.isUnanswered = true;
    const ended = (error?: Error): void => {
      this.isUnanswered = false;
      client.release(error);
    };
    reading.then(() => ended(), ended);
    try {
      return await withinDeadline(DEADLINE_MS, reading);
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) return this.unknown(error);
    }
    await nextTurn(); // an answer that arrived while this process was busy counts
    return this.isUnanswered ? this.unknown('no answer') : reading.catch((error: unknown) => this.unknown(error));
  }

  /** Whatever needs an answer asks PostgreSQL itself then, and reports the outage. */
  private unknown(why: unknown): undefined {
    this.logger.debug(`the history of the database is not known: ${String(why)}`);
    return undefined;
  }
}
