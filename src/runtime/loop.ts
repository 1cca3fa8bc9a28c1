import { Logger } from '@nestjs/common';
import { reportOutage } from '../db/outages';
import { classifyPgError } from '../db/pg-errors';

const AFTER_FAILURE_MS = 1_000;

/**
 * Repeats one piece of background work. `runOnce` does the work and returns the wait before the next run in milliseconds,
 * so that tests can step it without a timer. stop() may be called twice, and before start().
 */
export class Loop {
  private readonly logger: Logger;
  private stopping = false;
  private running: Promise<void> | undefined;
  private wakeSleeper: (() => void) | undefined;
  private woken = false;
  private failures = 0;
  private isFailureLogged = false;

  constructor(
    name: string,
    private readonly runOnce: () => Promise<number>,
  ) {
    this.logger = new Logger(name);
  }

  start(): void {
    if (!this.stopping) this.running ??= this.run();
  }

  /** Ends the current wait, or skips the next one if a run is in progress. */
  wake(): void {
    this.woken = true;
    this.wakeSleeper?.();
  }

  /** Resolves when the current run has ended. No further run starts. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeSleeper?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const delayMs = await this.runSafely();
      if (delayMs > 0) await this.sleep(delayMs);
    }
  }

  private async runSafely(): Promise<number> {
    this.woken = false;
    try {
      const delayMs = await this.runOnce();
      // Of an outage, the log has one line for all loops, and one when the dependency is up.
      const level = this.isFailureLogged ? 'log' : 'debug';
      if (this.failures > 0) this.logger[level](`recovered after ${this.failures} failed runs`);
      this.failures = 0;
      this.isFailureLogged = false;
      return delayMs;
    } catch (error) {
      this.failures += 1;
      if (reportOutage(error) || this.isFailureLogged) return AFTER_FAILURE_MS;
      // Log the whole error once, not once per second. A deadlock, as with a migration, is no fault.
      const level = classifyPgError(error) === 'transient' ? 'warn' : 'error';
      this.logger[level]({ msg: 'a run failed and will be retried', err: error });
      this.isFailureLogged = true;
      return AFTER_FAILURE_MS;
    }
  }

  private sleep(ms: number): Promise<void> {
    if (this.stopping || this.woken) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.wakeSleeper = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.wakeSleeper = end;
    });
  }
}
