import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, spawnProcess } from './process';
import type { Killable } from './process-tree';

const LOOK_EVERY_MS = 50;
const START_AGAIN_AFTER_MS = 500;
const UP_WITHIN_MS = 60_000;

/** A StreamForge process on its own port, which can be frozen, killed and started again. */
export class RoleProcess implements Killable {
  private holds = 0;
  private running: ReturnType<typeof spawnProcess> | undefined;
  /** The output of earlier runs. */
  private earlierOutput = '';

  constructor(
    readonly name: string,
    readonly port: number,
    private readonly env: Record<string, string>,
    private readonly onCrash: (process: string, output: string) => void,
  ) {}

  get role(): string {
    return this.name.split('-')[0] as string;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.running?.child.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get output(): string {
    return this.earlierOutput + (this.running?.output() ?? '');
  }

  /** Two faults may freeze it at the same time. It continues when both have ended. */
  freeze(): void {
    this.holds += 1;
    this.running?.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.holds = Math.max(0, this.holds - 1); // 0 already when it was started again meanwhile
    if (this.holds === 0) this.running?.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const { running } = this;
    this.forget();
    if (running) await endProcess(running.child, 'SIGKILL');
  }

  /** Sends SIGTERM, then SIGKILL after `killAfterMs`. Returns undefined when the process was not running. */
  async terminate(killAfterMs: number): Promise<{ code: number | null; tookMs: number } | undefined> {
    const { running } = this;
    this.forget();
    if (!running) return undefined;
    const startedMs = Date.now();
    const killer = setTimeout(() => running.child.kill('SIGKILL'), killAfterMs);
    const code = await endProcess(running.child, 'SIGTERM');
    clearTimeout(killer);
    return { code, tookMs: Date.now() - startedMs };
  }

  /**
   * Repeats a start that fails, as it does without PostgreSQL.
   * @param env more variables, of this start only
   */
  async startAgain(env: Record<string, string> = {}): Promise<void> {
    const deadlineMs = Date.now() + UP_WITHIN_MS;
    while (!(await this.start(env))) {
      if (Date.now() > deadlineMs) throw new Error(`${this.name} does not start:\n${this.output.slice(-3_000)}`);
      await sleep(START_AGAIN_AFTER_MS);
    }
  }

  /** Returns false when the process ended before it was ready. */
  private async start(env: Record<string, string>): Promise<boolean> {
    this.forget();
    const started = spawnProcess({ ...this.env, ...env, PORT: String(this.port) });
    this.running = started;
    while (!started.output().includes('StreamForge is ready')) {
      if (started.child.exitCode !== null || started.child.signalCode !== null) return false;
      await sleep(LOOK_EVERY_MS);
    }
    started.child.once('exit', () => {
      if (this.running !== started) return; // killed on purpose
      this.onCrash(this.name, started.output().slice(-3_000));
    });
    return true;
  }

  private forget(): void {
    this.earlierOutput = this.output;
    this.running = undefined;
    this.holds = 0;
  }
}
