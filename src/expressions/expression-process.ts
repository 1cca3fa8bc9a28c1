import { fork, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import { Problem } from '../event/problems';
import type { Batch } from './evaluation-lane';
import { EvaluationQueue } from './evaluation-queue';
import type { ExpressionScope, Found } from './expression-scope';
import { JsonDocument } from './json-document';
import { LIMITS, type ExpressionLimits } from './limits';
import { cpuMsOf } from './process-cpu';

/** Why a run was ended: the expression, or a machine that did not let the child run. */
type Late = { failure: string } | 'the machine is too busy';

/** What the child answers: that it is ready, or the result of one expression. */
type Answer = Used & ({ ready: true } | { json: string } | { failure: string; ended?: true } | object);

/** The CPU time of the child's main thread, in ms: of this run, and since the child was started. */
interface Used {
  runMs?: number;
  cpuMs: number;
}

/** The child ends a run that is late by its own clock. It is killed when it does not: one call may take very long. */
const KILL_AFTER = { limits: 2, moreCpuMs: 10 };
/** An expression that takes more than this part of its time waits for the others the next time. */
const SLOW_PART = 0.2;
const START_WITHIN_MS = 10_000;

const CANNOT_START = 'The process that evaluates expressions cannot be started.';
const CHILD = path.join(__dirname, 'expression-child.js');

/**
 * Evaluates JSONata in a child process, one expression at a time, within limits. The child is started at the first use,
 * and again after it was ended. It is a process and not a thread because a thread that runs out of memory can end the
 * whole process.
 */
export class ExpressionProcess {
  private readonly queue: EvaluationQueue;
  private child: ChildProcess | undefined;
  private isReady = false;
  private current: Batch | undefined;
  private timer: NodeJS.Timeout | undefined;
  private startedMs = 0;
  /** CPU time of the child when the run started. */
  private startedCpuMs = 0;
  /** Why this side ended the child. */
  private late: Late | undefined;

  constructor(private readonly limits: ExpressionLimits = LIMITS) {
    this.queue = new EvaluationQueue(limits.waitMilliseconds);
  }

  /**
   * @throws {Problem} `overloaded` when too many expressions wait, or when this one has waited too long
   */
  evaluate(text: string, scope: ExpressionScope): Promise<Found> {
    return new Promise((resolve, reject) => {
      if (!this.queue.add(scope, { text, resolve, reject })) {
        reject(overloaded('Too many expressions wait to be evaluated.'));
        return;
      }
      // Not at once: the other expressions of the same request are added before the microtask runs.
      queueMicrotask(() => this.next());
    });
  }

  /** Ends the child. What waits fails. Safe to call twice; a later evaluation starts a child again. */
  async stop(): Promise<void> {
    this.failAll(overloaded('The server is shutting down.'));
    const { child } = this;
    if (!child) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  private next(): void {
    if (this.current) return;
    if (!this.child) this.start();
    if (!this.isReady) return;
    this.current = this.queue.take();
    this.keepAlive(this.current !== undefined);
    if (!this.current) return;
    const { scope, evaluations } = this.current;
    const { document, body, headers, query, path } = scope;
    const message = {
      document: document.text,
      ...(body !== document && evaluations.some(({ text }) => seesBody(text)) ? { body: body.text } : {}),
      headers,
      query,
      path,
      expressions: evaluations.map(({ text }) => text),
    };
    this.child?.send(message, () => undefined); // where the child has just ended, its exit settles the batch
    this.startClock(this.firstLookMs);
  }

  private start(): void {
    this.isReady = false;
    this.late = undefined;
    const execArgv = [`--max-old-space-size=${this.limits.megabytes}`, '--max-semi-space-size=4'];
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const child = fork(CHILD, [JSON.stringify(this.limits)], { env: {}, execArgv, stdio: [...stdio] });
    this.child = child;
    child.on('message', (answer: Answer) => this.take(answer));
    child.on('error', () => this.notStarted(child));
    child.on('exit', (code, signal) => this.ended(code, signal));
    this.startClock(START_WITHIN_MS);
  }

  /** A process that could not be started has no exit. */
  private notStarted(child: ChildProcess): void {
    if (child.pid !== undefined) return;
    this.child = undefined;
    this.failAll(overloaded(CANNOT_START));
  }

  private take(answer: Answer): void {
    clearTimeout(this.timer);
    this.startedCpuMs = answer.cpuMs;
    if ('ready' in answer) {
      this.isReady = true;
      this.next();
      return;
    }
    this.settle(toFound(answer), 'ended' in answer || this.isSlow(answer));
    if (this.current) this.startClock(this.firstLookMs);
    else this.next();
  }

  private isSlow({ runMs = 0 }: Used): boolean {
    return runMs > SLOW_PART * this.limits.cpuMilliseconds;
  }

  /** Gives the expression that was evaluated its result. */
  private settle(found: Found, wasSlow: boolean): void {
    const evaluation = this.current?.evaluations.shift();
    if (!evaluation) return;
    if (this.current?.evaluations.length === 0) this.current = undefined;
    this.queue.note(evaluation.text, wasSlow);
    evaluation.resolve(found);
  }

  /** When this side first looks whether a run is late. */
  private get firstLookMs(): number {
    return this.limits.cpuMilliseconds + KILL_AFTER.moreCpuMs;
  }

  /** The expression may be fine: its caller may try again. */
  private giveUp(): void {
    this.current?.evaluations.shift()?.reject(overloaded('The machine is too busy to evaluate expressions.'));
    if (this.current?.evaluations.length === 0) this.current = undefined;
  }

  private startClock(ms: number): void {
    this.startedMs = performance.now();
    this.lookAfter(ms);
  }

  private lookAfter(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { child, current } = this;
      const left = current?.evaluations.length;
      // An answer may have arrived while this process was busy: read it first.
      setImmediate(() => {
        if (this.child !== child || this.current !== current || current?.evaluations.length !== left) return;
        const lateness = this.lateness();
        if ('moreMs' in lateness) {
          this.lookAfter(lateness.moreMs);
          return;
        }
        this.late = lateness.late;
        child?.kill('SIGKILL');
      });
    }, ms);
  }

  /** A child that the machine did not let run gets more time. */
  private lateness(): { moreMs: number } | { late: Late } {
    const { milliseconds, cpuMilliseconds } = this.limits;
    const leftMs = KILL_AFTER.limits * milliseconds - (performance.now() - this.startedMs);
    if (!this.isReady || leftMs <= 0) return { late: 'the machine is too busy' };
    const usedMs = (cpuMsOf(this.child?.pid) ?? this.startedCpuMs) - this.startedCpuMs;
    const leftCpuMs = cpuMilliseconds + KILL_AFTER.moreCpuMs - usedMs;
    if (leftCpuMs <= 0) return { late: { failure: `takes more than ${cpuMilliseconds} ms of CPU time` } };
    return { moreMs: Math.ceil(Math.min(leftMs, leftCpuMs)) };
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.timer);
    const wasReady = this.isReady;
    this.child = undefined;
    this.isReady = false;
    if (!wasReady) this.failAll(overloaded(CANNOT_START));
    if (!this.current) return;
    if (this.late === 'the machine is too busy') this.giveUp();
    else this.settle({ failure: this.late?.failure ?? this.whyEnded(code, signal) }, true);
    if (this.current) this.queue.putBack(this.current);
    this.current = undefined;
    this.next();
  }

  private whyEnded(code: number | null, signal: NodeJS.Signals | null): string {
    // V8 aborts when its heap is full. The kernel kills when the machine has no memory left.
    if (signal && signal !== 'SIGTERM') return `needs more than ${this.limits.megabytes} MB`;
    return `was interrupted: its process ended (${signal ?? `exit code ${code}`})`;
  }

  private failAll(error: Error): void {
    for (let batch = this.current ?? this.queue.take(); batch; batch = this.queue.take()) {
      for (const { reject } of batch.evaluations) reject(error);
    }
    this.current = undefined;
    clearTimeout(this.timer);
  }

  /** An idle child does not keep this process running. */
  private keepAlive(busy: boolean): void {
    const { child } = this;
    if (busy) {
      child?.ref();
      child?.channel?.ref();
    } else {
      child?.unref();
      child?.channel?.unref();
    }
  }
}

/** The whole body would be sent with each record of a batch, so it is left out where no expression refers to it. */
function seesBody(text: string): boolean {
  return text.includes('$body') || text.includes('$eval');
}

function toFound(answer: Answer): Found {
  if ('json' in answer) return { json: new JsonDocument(answer.json) };
  return 'failure' in answer ? { failure: answer.failure } : { nothing: true };
}

function overloaded(detail: string): Problem {
  return new Problem('overloaded', detail, { retryAfterSeconds: 1 });
}

/** One child serves all expressions of this process. */
export const sharedProcess = new ExpressionProcess();
