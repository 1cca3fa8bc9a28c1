import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_TOKEN, startAllInOne } from '#bench/streamforge';
import type { Answer } from '#bench/answer-parser';
import { checkCompleted, IdSample, type Accepted } from '#bench/closing-check';
import { command } from '#bench/cleanup';
import type { EventSource } from '#bench/events';
import { startLoad, type LoadResult } from '#bench/load';
import type { LoadOptions } from '#bench/load-options';

export interface LoadCommand {
  options: LoadOptions;
  /** The request that carries events `from` to `from + count - 1`. */
  requestOf: (source: EventSource, from: number, count: number) => string;
  eventsPerRequest: number;
  /** Adds the events that a response accepted. */
  read: (answer: Answer, accepted: Accepted) => void;
}

/** Runs a load command: sends the load with progress, prints figures, and checks that all accepted events are COMPLETED. */
export async function runLoadCommand({ options, requestOf, eventsPerRequest, read }: LoadCommand): Promise<void> {
  await command(async (atEnd) => {
    const target = options.url ? { url: options.url, adminToken: options.adminToken } : await ownStreamForge(atEnd);
    const run = Date.now().toString(36);
    const source = { type: `load.${run}`, run }; // its own type, so that usage counts this run alone
    const accepted: Accepted = { events: 0, sample: new IdSample() };
    let from = 0;
    const next = (): string | undefined => {
      const count = Math.min(eventsPerRequest, options.count - from);
      if (count <= 0) return undefined;
      from += count;
      return requestOf(source, from - count, count);
    };
    const { connections } = options;
    const load = { url: target.url, connections, next, onAnswer: (answer: Answer) => read(answer, accepted) };
    const { result, done } = await startLoad(load);
    const progress = setInterval(() => say(result, accepted, options.count), 1000);
    await done.finally(() => clearInterval(progress));
    say(result, accepted, options.count);
    process.stdout.write(summary(result, accepted));
    return (await checkCompleted(accepted, { ...options, ...target, type: source.type })) ? 0 : 1;
  });
}

async function ownStreamForge(atEnd: (step: () => void | Promise<void>) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'streamforge-load-'));
  atEnd(() => rmSync(directory, { recursive: true, force: true }));
  const backends = { DATABASE_URL: '', REDIS_URL: '', RABBITMQ_URL: '', STREAMFORGE_DATA_DIR: directory };
  const server = await startAllInOne(backends);
  atEnd(() => server.stop());
  process.stdout.write(`all-in-one StreamForge for this run at ${server.url}, data in ${directory}\n`);
  return { url: server.url, adminToken: ADMIN_TOKEN };
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

function say(result: LoadResult, { events }: Accepted, count: number): void {
  const share = ((events / count) * 100).toFixed(0);
  process.stdout.write(
    `${result.seconds.toFixed(1).padStart(6)} s  ${whole(events).padStart(11)} accepted (${share} %)  ` +
      `${whole(events / result.seconds)}/s  p50 ${result.percentileMs(50).toFixed(1)} ms  ` +
      `p99 ${result.percentileMs(99).toFixed(1)} ms  responses ${result.byStatus}\n`,
  );
}

function summary(result: LoadResult, { events }: Accepted): string {
  const percentiles = [50, 90, 95, 99, 99.9, 100].map((p) => `p${p} ${result.percentileMs(p).toFixed(1)} ms`);
  return (
    `\n${whole(events)} events accepted in ${result.seconds.toFixed(1)} s: ${whole(events / result.seconds)} events/s, ` +
    `${whole(result.requests / result.seconds)} requests/s\nlatency  ${percentiles.join('  ')}\nresponses  ${result.byStatus}\n`
  );
}
