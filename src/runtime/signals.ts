import { explainStartFailure } from './start-failure';

/**
 * Handles SIGTERM and SIGINT from the start of the process. PID 1 of a container receives only signals that it handles, so
 * this is set up before anything that takes time.
 */
export class Signals {
  private close: (() => Promise<void>) | undefined;
  private received: NodeJS.Signals | undefined;

  constructor(private readonly graceMs: number) {
    process.on('SIGTERM', (signal) => this.receive(signal));
    process.on('SIGINT', (signal) => this.receive(signal));
  }

  /** Whether the process was asked to end; the start can then be cut short. */
  get ending(): boolean {
    return this.received !== undefined;
  }

  /** Calls `close` on a signal, or at once if a signal has already arrived. */
  drainBy(close: () => Promise<void>): void {
    this.close = close;
    if (this.received) this.drain();
  }

  /** The first signal drains, as soon as `drainBy` was called. A second signal ends the process at once. */
  private receive(signal: NodeJS.Signals): void {
    if (this.received) process.exit(1);
    this.received = signal;
    setTimeout(() => {
      process.stderr.write(
        `${signal}: shutdown not done within SHUTDOWN_GRACE_MS (${this.graceMs} ms), exiting anyway\n`,
      );
      process.exit(1);
    }, this.graceMs).unref();
    if (this.close) this.drain();
  }

  private drain(): void {
    this.close?.().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${explainStartFailure(error)}\n`);
        process.exit(1);
      },
    );
  }
}
