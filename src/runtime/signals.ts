import { endProcess } from './end-process';
import { explainStartFailure } from './start-failure';

/** Ctrl-C under `npm start` arrives twice: the terminal signals every process, and npm passes its own signal on. */
const ONE_KEYPRESS_MS = 500;

/**
 * Handles SIGTERM and SIGINT from the start of the process. PID 1 of a container receives only signals that it handles, so
 * this is set up before anything that takes time.
 */
export class Signals {
  private close: ((signal: NodeJS.Signals) => Promise<void>) | undefined;
  private received: NodeJS.Signals | undefined;
  private receivedMs = 0;

  constructor(private readonly graceMs: number) {
    process.on('SIGTERM', (signal) => this.receive(signal));
    process.on('SIGINT', (signal) => this.receive(signal));
  }

  /** Whether the process was asked to end; the start can then be cut short. */
  get ending(): boolean {
    return this.received !== undefined;
  }

  /** Calls `close` on a signal, or at once if a signal has already arrived. */
  drainBy(close: (signal: NodeJS.Signals) => Promise<void>): void {
    this.close = close;
    if (this.received) this.drain(this.received);
  }

  /** The first signal drains, as soon as `drainBy` was called. A second signal ends the process at once. */
  private receive(signal: NodeJS.Signals): void {
    if (this.received) {
      if (signal === 'SIGINT' && performance.now() - this.receivedMs < ONE_KEYPRESS_MS) return;
      process.exit(1);
    }
    this.received = signal;
    this.receivedMs = performance.now();
    setTimeout(() => {
      process.stderr.write(
        `${signal}: shutdown not done within SHUTDOWN_GRACE_MS (${this.graceMs} ms), exiting anyway\n`,
      );
      process.exit(1);
    }, this.graceMs).unref();
    if (this.close) this.drain(signal);
  }

  private drain(signal: NodeJS.Signals): void {
    this.close?.(signal).then(
      () => endProcess(0),
      (error: unknown) => {
        process.stderr.write(`${explainStartFailure(error)}\n`);
        endProcess(1);
      },
    );
  }
}
