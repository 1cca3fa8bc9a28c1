import { Problem } from '../event/problems';
import { EvaluationLane, type Batch, type Evaluation } from './evaluation-lane';
import type { ExpressionScope } from './expression-scope';

const MAX_EVALUATIONS = 2_000;
/** Characters of the documents that wait. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** The part of both bounds that slow expressions may take. The rest is left for those of other tenants. */
const SLOW_PART = 0.25;
const MAX_SLOW_TEXTS = 1_000;

/**
 * Expressions that wait for their turn, up to a bound. A slow expression waits until no other one does, so that it delays
 * the others by no more than one time limit.
 */
export class EvaluationQueue {
  private readonly ready = new EvaluationLane();
  private readonly slow = new EvaluationLane();
  /** Expressions that were slow, or were ended, at their last run. */
  private readonly slowTexts = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  /** @param mostWaitMs after which an expression that still waits is rejected as `overloaded`; without it, it waits on */
  constructor(private readonly mostWaitMs?: number) {}

  /** Returns false when the queue is full. */
  add(scope: ExpressionScope, waiting: Omit<Evaluation, 'addedMs'>): boolean {
    const { ready, slow } = this;
    const lane = this.slowTexts.has(waiting.text) ? slow : ready;
    const characters = lane.charactersOfNext(scope);
    if (isFull(ready.evaluations + slow.evaluations, ready.characters + slow.characters + characters, 1)) return false;
    if (lane === slow && isFull(slow.evaluations, slow.characters + characters, SLOW_PART)) return false;
    lane.add(scope, { ...waiting, addedMs: performance.now() });
    this.watch();
    return true;
  }

  take(): Batch | undefined {
    return this.ready.take() ?? this.slow.take();
  }

  /** Puts back, as the next one, what is left of a batch. */
  putBack(batch: Batch): void {
    if (batch.evaluations.length > 0) this.ready.putBack(batch);
  }

  /** Notes whether the last run of an expression was slow. */
  note(text: string, wasSlow: boolean): void {
    if (!wasSlow) {
      this.slowTexts.delete(text);
      return;
    }
    if (this.slowTexts.size >= MAX_SLOW_TEXTS) this.slowTexts.clear();
    this.slowTexts.add(text);
  }

  /** Sets the timer for the expression that waits longest. */
  private watch(): void {
    if (this.mostWaitMs === undefined || this.timer) return;
    const oldestMs = Math.min(this.ready.oldestMs ?? Infinity, this.slow.oldestMs ?? Infinity);
    if (oldestMs === Infinity) return;
    const leftMs = oldestMs + this.mostWaitMs - performance.now();
    this.timer = setTimeout(() => this.rejectOverdue(), Math.max(1, Math.ceil(leftMs)));
    this.timer.unref(); // whoever waits holds the process (the child of ExpressionProcess does)
  }

  private rejectOverdue(): void {
    this.timer = undefined;
    const sinceMs = performance.now() - (this.mostWaitMs ?? Infinity);
    for (const lane of [this.ready, this.slow]) {
      for (const { reject } of lane.takeWaitingSince(sinceMs)) {
        reject(new Problem('overloaded', 'The expression has waited too long.', { retryAfterSeconds: 1 }));
      }
    }
    this.watch();
  }
}

/** One document is taken whatever its size. */
function isFull(evaluations: number, characters: number, part: number): boolean {
  return evaluations >= part * MAX_EVALUATIONS || (evaluations > 0 && characters > part * MAX_CHARACTERS);
}
