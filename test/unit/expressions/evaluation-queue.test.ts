import { EvaluationQueue } from '../../../src/expressions/evaluation-queue';
import { ExpressionProcess } from '../../../src/expressions/expression-process';
import type { ExpressionScope } from '../../../src/expressions/expression-scope';
import { JsonDocument } from '../../../src/expressions/json-document';
import { LIMITS } from '../../../src/expressions/limits';

const scopeOf = (text = '{}'): ExpressionScope => {
  const document = new JsonDocument(text);
  return { document, body: document, headers: {}, query: {}, path: '' };
};
const waiting = (text: string) => ({ text, resolve: () => undefined, reject: () => undefined });
const ENDLESS = '($f := function($x) { $f($x + 1) }; $f(0))';

describe('the queue of expressions', () => {
  const fill = (queue: EvaluationQueue, text: string, scope: () => ExpressionScope, most = 3_000): number => {
    for (let i = 0; i < most; i++) if (!queue.add(scope(), waiting(text))) return i;
    return most;
  };

  it('gives slow expressions a quarter of its places, and the others the rest', () => {
    const queue = new EvaluationQueue();
    queue.note('slow', true);
    expect(fill(queue, 'slow', scopeOf)).toBe(500);
    expect(fill(queue, 'quick', scopeOf)).toBe(1_500);
    queue.take();
    expect(queue.add(scopeOf(), waiting('slow'))).toBe(false);
    expect(queue.add(scopeOf(), waiting('quick'))).toBe(true);
  });

  it('gives slow expressions a quarter of its characters; one document is taken whatever its size', () => {
    const megabyte = JSON.stringify('x'.repeat(1024 * 1024 - 2));
    const queue = new EvaluationQueue();
    queue.note('slow', true);
    expect(fill(queue, 'slow', () => scopeOf(megabyte))).toBe(16);
    expect(fill(queue, 'quick', () => scopeOf(megabyte))).toBe(48);
    const other = new EvaluationQueue();
    other.note('slow', true);
    expect(other.add(scopeOf(JSON.stringify('x'.repeat(20 * 1024 * 1024))), waiting('slow'))).toBe(true);
  });

  it('gives places back when expressions are taken, and the quick ones first', () => {
    const queue = new EvaluationQueue();
    queue.note('slow', true);
    const scope = scopeOf();
    fill(queue, 'slow', () => scope);
    queue.add(scope, waiting('quick'));
    expect(queue.take()?.evaluations.map(({ text }) => text)).toEqual(['quick']);
    expect(queue.take()?.evaluations).toHaveLength(50);
    expect(fill(queue, 'slow', () => scope)).toBe(50);
  });
});

describe('an expression that waits', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** The texts of the expressions that were rejected, and why. */
  const rejections: [text: string, error: Error][] = [];
  beforeEach(() => rejections.splice(0));
  const add = (queue: EvaluationQueue, text: string, scope = scopeOf()): boolean =>
    queue.add(scope, { text, resolve: () => undefined, reject: (error) => rejections.push([text, error]) });
  const rejected = (): string[] => rejections.map(([text]) => text);

  it('is rejected as overloaded after the longest wait; one that was taken is not', () => {
    const queue = new EvaluationQueue(5_000);
    queue.note('slow', true);
    for (const text of ['taken', 'first', 'slow']) add(queue, text);
    queue.take();
    jest.advanceTimersByTime(3_000);
    add(queue, 'second');
    jest.advanceTimersByTime(1_900);
    expect(rejections).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(rejected()).toEqual(['first', 'slow']);
    expect(rejections[0]?.[1]).toMatchObject({ code: 'overloaded', extras: { retryAfterSeconds: 1 } });
    jest.advanceTimersByTime(3_000);
    expect(rejected()).toEqual(['first', 'slow', 'second']);
    expect(queue.take()).toBeUndefined();
  });

  it('is rejected alone, where later ones over the same document wait in the same batch', () => {
    const queue = new EvaluationQueue(5_000);
    const scope = scopeOf();
    add(queue, 'first', scope);
    jest.advanceTimersByTime(3_000);
    add(queue, 'second', scope);
    jest.advanceTimersByTime(2_100);
    expect(rejected()).toEqual(['first']);
    expect(queue.take()?.evaluations.map(({ text }) => text)).toEqual(['second']);
  });

  it('waits on without a longest wait', () => {
    const queue = new EvaluationQueue();
    add(queue, 'first');
    jest.advanceTimersByTime(3_600_000);
    expect(rejections).toEqual([]);
    expect(queue.take()?.evaluations).toHaveLength(1);
  });
});

it('a process of expressions rejects those that wait too long', async () => {
  const evaluator = new ExpressionProcess({ ...LIMITS, cpuMilliseconds: 100, waitMilliseconds: 200 });
  // Together they need 5 s of CPU time.
  const all = await Promise.allSettled(Array.from({ length: 50 }, () => evaluator.evaluate(ENDLESS, scopeOf())));
  const refused = all.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  expect(refused.map(({ message }) => message)).toContain('overloaded: The expression has waited too long.');
  await evaluator.stop();
});
