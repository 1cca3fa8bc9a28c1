import type { ExpressionScope, Found } from './expression-scope';

/** One expression that waits for its result. */
export interface Evaluation {
  text: string;
  resolve: (found: Found) => void;
  reject: (error: Error) => void;
}

/** Expressions over one scope. They are sent in one message. */
export interface Batch {
  scope: ExpressionScope;
  evaluations: Evaluation[];
}

const MAX_EVALUATIONS = 2_000;
/** Characters of the documents that wait. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
const MAX_BATCH = 50;
const MAX_SLOW_TEXTS = 1_000;

/**
 * Expressions that wait for their turn, up to a bound. A slow expression waits until no other one does, so that it delays
 * the others by no more than one time limit.
 */
export class EvaluationQueue {
  private readonly ready: Batch[] = [];
  private readonly slow: Batch[] = [];
  /** Expressions that were slow, or were ended, at their last run. */
  private readonly slowTexts = new Set<string>();
  private evaluations = 0;
  private characters = 0;

  /** Returns false when the queue is full. */
  add(scope: ExpressionScope, evaluation: Evaluation): boolean {
    const lane = this.slowTexts.has(evaluation.text) ? this.slow : this.ready;
    if (this.evaluations >= MAX_EVALUATIONS) return false;
    const last = lane.at(-1);
    if (last?.scope === scope && last.evaluations.length < MAX_BATCH) {
      last.evaluations.push(evaluation);
    } else {
      const characters = charactersOf(scope);
      if (this.evaluations > 0 && this.characters + characters > MAX_CHARACTERS) return false;
      this.characters += characters;
      lane.push({ scope, evaluations: [evaluation] });
    }
    this.evaluations += 1;
    return true;
  }

  take(): Batch | undefined {
    const batch = this.ready.shift() ?? this.slow.shift();
    if (!batch) return undefined;
    this.evaluations -= batch.evaluations.length;
    this.characters -= charactersOf(batch.scope);
    return batch;
  }

  /** Puts back, as the next one, what is left of a batch. */
  putBack(batch: Batch): void {
    if (batch.evaluations.length === 0) return;
    this.ready.unshift(batch);
    this.evaluations += batch.evaluations.length;
    this.characters += charactersOf(batch.scope);
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
}

function charactersOf({ document, body }: ExpressionScope): number {
  return document.text.length + (body === document ? 0 : body.text.length);
}
