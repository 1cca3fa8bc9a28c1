import { amqplibAlone } from '#bench/amqplib-loop';
import { Backlog, until } from '#bench/backlog';
import type { BenchServer } from '#bench/databases';
import { measureLatencies, type Observed } from '#bench/idle';
import type { Group } from '#bench/options';
import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import type { BenchRabbit } from '#bench/rabbit';
import { shown } from '#bench/statistics';
import { startAllInOne, startRole } from '#bench/streamforge';

const BACKLOG = 100_000;
const GROWTH_ENTRIES = 50_000;
const GROWTH_PUBLISHED = [0, 100_000, 1_000_000];
const LATENCIES = 300;
export interface PipelineResult {
  publisher?: { perSecond: number[]; cpuUs: number[]; ofAmqplibAlone: number[] };
  drain?: { perSecond: number[] };
  growth?: { publishedBefore: number; microsecondsPerEntry: number[] }[];
  'idle-rabbit'?: Observed;
}

/** Measures publisher and worker on a real RabbitMQ, with everything on this machine. */
export class Pipeline {
  private readonly postgres: BenchServer;
  private readonly rabbit: BenchRabbit;

  constructor(postgres: BenchServer, rabbit: BenchRabbit) {
    this.postgres = postgres;
    this.rabbit = rabbit;
  }

  async measure(only: ReadonlySet<Group>, rounds: number): Promise<PipelineResult> {
    return {
      ...(only.has('publisher') ? { publisher: await this.publisherAlone(rounds) } : {}),
      ...(only.has('drain') ? { drain: await this.drain(rounds) } : {}),
      ...(only.has('growth') ? { growth: await this.growth(rounds) } : {}),
      ...(only.has('idle-rabbit') ? { 'idle-rabbit': await this.idle() } : {}),
    };
  }

  private async publisherAlone(rounds: number): Promise<NonNullable<PipelineResult['publisher']>> {
    const result: NonNullable<PipelineResult['publisher']> = { perSecond: [], cpuUs: [], ofAmqplibAlone: [] };
    await this.withBacklog('publisher', async (backlog) => {
      for (let round = 0; round < rounds; round++) {
        const { seconds, cpuUs } = await this.publish(backlog, BACKLOG);
        await this.rabbit.empty();
        const alone = await amqplibAlone(this.rabbit.url, BACKLOG / 2);
        result.perSecond.push(BACKLOG / seconds);
        result.cpuUs.push(cpuUs);
        result.ofAmqplibAlone.push(BACKLOG / seconds / alone);
      }
    });
    return result;
  }

  private async drain(rounds: number): Promise<NonNullable<PipelineResult['drain']>> {
    const perSecond: number[] = [];
    await this.withBacklog('drain', async (backlog) => {
      for (let round = 0; round < rounds; round++) {
        await this.rabbit.empty();
        const before = await backlog.counted();
        const afterId = await backlog.add(BACKLOG);
        const processes = await Promise.all([this.start('publisher', backlog), this.start('worker', backlog)]);
        await until(async () => (await backlog.counted()) - before >= BACKLOG);
        await Promise.all(processes.map((process) => process.stop()));
        const { entries, seconds } = await backlog.completed(afterId);
        perSecond.push(entries / seconds);
      }
    });
    return { perSecond };
  }

  /** Outboxes with increasing numbers of published entries take turns with the same backlog. */
  private async growth(rounds: number): Promise<NonNullable<PipelineResult['growth']>> {
    const sides = [];
    for (const publishedBefore of GROWTH_PUBLISHED) {
      const backlog = await new Backlog(await this.postgres.createDatabase(`growth_${publishedBefore}`)).open();
      if (publishedBefore > 0) await backlog.addCompleted(publishedBefore);
      await this.publish(backlog, GROWTH_ENTRIES); // warm-up
      sides.push({ publishedBefore, backlog, microsecondsPerEntry: new Array<number>() });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { publishedBefore, backlog, microsecondsPerEntry } of sides) {
        if (publishedBefore === 0) await backlog.empty();
        const { seconds } = await this.publish(backlog, GROWTH_ENTRIES);
        microsecondsPerEntry.push((seconds / GROWTH_ENTRIES) * 1e6);
      }
    }
    for (const { backlog } of sides) await backlog.close();
    return sides.map(({ publishedBefore, microsecondsPerEntry }) => ({ publishedBefore, microsecondsPerEntry }));
  }

  private async idle(): Promise<Observed> {
    await this.rabbit.empty();
    const databaseUrl = await this.postgres.createDatabase('idle_rabbit');
    const server = await startAllInOne({ DATABASE_URL: databaseUrl, RABBITMQ_URL: this.rabbit.url });
    try {
      return await measureLatencies(server.url, databaseUrl, LATENCIES);
    } finally {
      await server.stop();
    }
  }

  private async publish(backlog: Backlog, count: number): Promise<{ seconds: number; cpuUs: number }> {
    await this.rabbit.empty();
    const afterId = await backlog.add(count);
    const publisher = await this.start('publisher', backlog);
    await until(async () => (await backlog.openEntries()) === 0);
    const cpuUs = (cpuMicroseconds(publisher.child.pid) ?? Number.NaN) / count;
    await publisher.stop();
    const { entries, seconds } = await backlog.published(afterId);
    if (entries !== count) throw new Error(`${entries} of ${count} were published`);
    return { seconds, cpuUs };
  }

  private start(role: string, backlog: Backlog): Promise<ServerProcess> {
    return startRole(role, { DATABASE_URL: backlog.url, RABBITMQ_URL: this.rabbit.url });
  }

  private async withBacklog(name: string, work: (backlog: Backlog) => Promise<void>): Promise<void> {
    const backlog = await new Backlog(await this.postgres.createDatabase(name)).open();
    try {
      await work(backlog);
    } finally {
      await backlog.close();
    }
  }
}

export function pipelineReport({ publisher, drain, growth, 'idle-rabbit': idle }: PipelineResult): string {
  let text = '';
  if (publisher) {
    text += `publisher alone, backlog of ${BACKLOG}: ${shown(publisher.perSecond, 0)} entries/s (wanted >= 15,000), `;
    text += `${shown(publisher.cpuUs, 0)} µs of CPU each, including the start; `;
    text += `${shown(publisher.ofAmqplibAlone, 2)} of what amqplib alone publishes\n`;
  }
  if (drain)
    text += `drain of ${BACKLOG} by one publisher and one worker: ${shown(drain.perSecond, 0)} events/s (wanted >= 10,000)\n`;
  if (growth) {
    const first = growth[0]?.microsecondsPerEntry ?? [];
    for (const { publishedBefore, microsecondsPerEntry } of growth) {
      const ofFirst = microsecondsPerEntry.map((us, round) => us / (first[round] ?? Number.NaN));
      text += `publisher after ${publishedBefore} published entries: ${shown(microsecondsPerEntry, 1)} µs per entry, `;
      text += `${shown(ofFirst, 2)} of the first (wanted 0.8 to 1.2)\n`;
    }
  }
  if (idle) {
    const { watched, asked } = idle;
    text += `idle on RabbitMQ: accept to COMPLETED p50 ${watched.p50.toFixed(1)} ms (wanted <= 10), `;
    text += `p99 ${watched.p99.toFixed(1)} ms (wanted <= 30); `;
    text += `for a polling client ${asked.p50.toFixed(1)} and ${asked.p99.toFixed(1)} ms\n`;
  }
  return text;
}
