import { fork, type ChildProcess } from 'node:child_process';
import type { EventSource } from '#bench/events';
import type { LoopOrder, LoopReport } from '#bench/pg-loop';

/** Runs pg-loop.ts in its own process, like the application. */
export class LoopProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  constructor(databaseUrl: string) {
    const script = new URL('pg-loop.ts', import.meta.url);
    this.child = fork(script, { env: { ...process.env, DATABASE_URL: databaseUrl } });
    this.exited = new Promise((done) => this.child.once('exit', done));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  async prepare(source: EventSource, count: number): Promise<void> {
    await this.order({ prepare: { source, from: 0, count } });
  }

  async write(seconds: number): Promise<LoopReport> {
    return (await this.order({ writeForSeconds: seconds })) as LoopReport;
  }

  async stop(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await this.exited;
  }

  private order(order: LoopOrder): Promise<LoopReport | null> {
    return new Promise((resolve, reject) => {
      const exited = (): void => reject(new Error('The pg loop ended.'));
      this.child.once('exit', exited);
      this.child.once('message', (answer: { report: LoopReport | null } | { error: string }) => {
        this.child.off('exit', exited);
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.report);
      });
      this.child.send(order);
    });
  }
}
