import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { DeadlineExceeded, withinDeadline } from '../../runtime/deadline';
import { readHistory } from './history.queries';

/** As long as a look-up in Redis may take. */
const DEADLINE_MS = 250;

/**
 * Asks the database which history it is in (see history.queries.ts). What was remembered in another history may be about
 * events that the database has forgotten. Callers share readings, but never one that began before their call: the
 * database may have gone back since then.
 */
@Injectable()
export class DatabaseHistory {
  private readonly logger = new Logger('DatabaseHistory');
  private running: Promise<unknown> = Promise.resolve();
  private next: Promise<string | undefined> | undefined;
  /** A reading that has not ended, although its deadline may have passed. At most one occupies a connection. */
  private unanswered: Promise<string> | undefined;

  constructor(private readonly pool: Pool) {}

  /** Returns the history at a moment after the call; undefined if PostgreSQL does not tell within 250 ms. Never rejects. */
  confirmed(): Promise<string | undefined> {
    this.next ??= this.running.then(() => {
      this.running = this.next as Promise<string | undefined>;
      this.next = undefined;
      return this.read();
    });
    return this.next;
  }

  private async read(): Promise<string | undefined> {
    if (this.unanswered) return undefined;
    const reading = readHistory(this.pool);
    this.unanswered = reading;
    const ended = (): void => void (this.unanswered = undefined);
    reading.then(ended, ended);
    try {
      return await withinDeadline(DEADLINE_MS, reading);
    } catch (error) {
      // Whatever needs an answer asks PostgreSQL itself then, and reports the outage.
      const why = error instanceof DeadlineExceeded ? 'no answer' : String(error);
      this.logger.debug(`the history of the database is not known: ${why}`);
      return undefined;
    }
  }
}
