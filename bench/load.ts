import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '#bench/answer-parser';
import { Connection } from '#bench/client';

/** Counts requests whose connection broke. */
const BROKEN = 0;
const PAUSE_AFTER_BREAK_MS = 100;

export interface Load {
  url: string;
  connections: number;
  /** Returns the next request, or undefined if there is none. */
  next: () => string | undefined;
  onAnswer?: (answer: Answer) => void;
}

/** The responses so far. May be read while the load runs. */
export class LoadResult {
  readonly answers = new Map<number, number>();
  private readonly latencies: RecordableHistogram = createHistogram();
  private readonly startedMs = performance.now();
  private lastMs = this.startedMs;

  record(status: number, sentMs: number): void {
    this.lastMs = performance.now();
    this.latencies.record(Math.max(1, Math.round((this.lastMs - sentMs) * 1000)));
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
  }

  /** From the start to the last response. */
  get seconds(): number {
    return (this.lastMs - this.startedMs) / 1000;
  }

  get requests(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0);
  }

  percentileMs(percent: number): number {
    return this.latencies.percentile(percent) / 1000;
  }

  get byStatus(): string {
    const counts = [...this.answers].sort(([a], [b]) => a - b);
    return counts.map(([status, count]) => `${status === BROKEN ? 'broken' : status}: ${count}`).join(', ');
  }
}

/** Keeps `connections` requests in flight until there are no more. */
export async function startLoad(load: Load): Promise<{ result: LoadResult; done: Promise<void> }> {
  const connections = Array.from({ length: load.connections }, () => new Connection(load.url));
  await Promise.all(connections.map((connection) => connection.open()));
  const result = new LoadResult();
  const done = Promise.all(connections.map((connection) => keepBusy(connection, load, result)));
  return { result, done: done.then(() => undefined) };
}

export async function runLoad(load: Load): Promise<LoadResult> {
  const { result, done } = await startLoad(load);
  await done;
  return result;
}

async function keepBusy(connection: Connection, load: Load, result: LoadResult): Promise<void> {
  try {
    for (let request = load.next(); request !== undefined; request = load.next()) {
      const sentMs = performance.now();
      const answer = await connection.send(request).catch(() => undefined);
      result.record(answer?.status ?? BROKEN, sentMs);
      if (answer) load.onAnswer?.(answer);
      else await sleep(PAUSE_AFTER_BREAK_MS);
    }
  } finally {
    connection.close();
  }
}

/** Returns `make(n)` for n = from, from + step, … until the time is over. */
export function forSeconds(seconds: number, make: (n: number) => string, from = 0, step = 1): () => string | undefined {
  const endMs = performance.now() + seconds * 1000;
  let n = from - step;
  return () => (performance.now() < endMs ? make((n += step)) : undefined);
}
