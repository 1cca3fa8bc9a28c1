import { explainStartFailure } from './start-failure';

/**
 * SIGTERM and SIGINT from the first moment on. As PID 1 of a container a process that does not handle a signal never
 * gets it, so this is set up before anything that takes time.
 */
export class Signals {
  private close: (() => Promise<void>) | undefined;
  private received: NodeJS.Signals | undefined;

  constructor(private readonly graceMs: number) {
    process.on('SIGTERM', (signal) => this.receive(signal));
    process.on('SIGINT', (signal) => this.receive(signal));
  }

  /** True once the process has been asked to end; starting further parts is then a waste. */
  get ending(): boolean {
    return this.received !== undefined;
  }

  /** From now on a signal drains by `close`. One that came before does so at once. */
  drainBy(close: () => Promise<void>): void {
    this.close = close;
    if (this.received) this.drain();
  }

  /** The first signal drains, or waits for what can be drained; a second one ends the process at once. */
  private receive(signal: NodeJS.Signals): void {
    if (this.received) process.exit(1);
    this.received = signal;
    setTimeout(() => {
      process.stderr.write(`${signal}: not done within SHUTDOWN_GRACE_MS (${this.graceMs} ms), ending anyway\n`);
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
