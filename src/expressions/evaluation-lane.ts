import type { ExpressionScope, Found } from './expression-scope';

/** One expression that waits for its result. */
export interface Evaluation {
  text: string;
  resolve: (found: Found) => void;
  reject: (error: Error) => void;
  /** When it began to wait, on the clock of `performance.now()`. */
  addedMs: number;
}

/** Expressions over one scope. They are sent in one message. */
export interface Batch {
  scope: ExpressionScope;
  evaluations: Evaluation[];
}

const MAX_BATCH = 50;

/** Expressions that wait, oldest first. */
export class EvaluationLane {
  evaluations = 0;
  /** Characters of the documents that wait. */
  characters = 0;
  private readonly batches: Batch[] = [];

  /** The characters by which an expression over this scope would make the lane longer. */
  charactersOfNext(scope: ExpressionScope): number {
    return this.batchFor(scope) ? 0 : charactersOf(scope);
  }

  add(scope: ExpressionScope, evaluation: Evaluation): void {
    const batch = this.batchFor(scope);
    this.evaluations += 1;
    if (batch) {
      batch.evaluations.push(evaluation);
      return;
    }
    this.characters += charactersOf(scope);
    this.batches.push({ scope, evaluations: [evaluation] });
  }

  take(): Batch | undefined {
    const batch = this.batches.shift();
    if (!batch) return undefined;
    this.evaluations -= batch.evaluations.length;
    this.characters -= charactersOf(batch.scope);
    return batch;
  }

  /** Puts a batch back in front of the others. */
  putBack(batch: Batch): void {
    this.batches.unshift(batch);
    this.evaluations += batch.evaluations.length;
    this.characters += charactersOf(batch.scope);
  }

  get oldestMs(): number | undefined {
    return this.batches[0]?.evaluations[0]?.addedMs;
  }

  /** Takes out the expressions that wait since `sinceMs` or longer. */
  takeWaitingSince(sinceMs: number): Evaluation[] {
    const taken: Evaluation[] = [];
    while ((this.oldestMs ?? Infinity) <= sinceMs) {
      const { scope, evaluations } = this.take() as Batch;
      const firstLater = evaluations.findIndex(({ addedMs }) => addedMs > sinceMs);
      taken.push(...evaluations.splice(0, firstLater < 0 ? evaluations.length : firstLater));
      if (evaluations.length > 0) this.putBack({ scope, evaluations });
    }
    return taken;
  }

  private batchFor(scope: ExpressionScope): Batch | undefined {
    const last = this.batches.at(-1);
    return last?.scope === scope && last.evaluations.length < MAX_BATCH ? last : undefined;
  }
}

function charactersOf({ document, body }: ExpressionScope): number {
  return document.text.length + (body === document ? 0 : body.text.length);
}
