import { mkdtempSync, rmSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { connect } from 'amqplib';
import type * as Servers from '../test/support/processes/servers.js';

const QUEUES = ['events.main', 'events.retry', 'events.dlq'];

/** The tests' starter imports without extensions, as TypeScript for CommonJS does. */
registerHooks({
  resolve: (specifier, context, next) => {
    const ofTests = context.parentURL?.includes('/test/support/') && specifier.startsWith('.');
    return next(ofTests && extname(specifier) === '' ? `${specifier}.ts` : specifier, context);
  },
});

/** A RabbitMQ for the run: that of RABBITMQ_URL, whose queues are purged, or a private one. */
export class BenchRabbit {
  readonly url: string;
  readonly stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.stop = stop;
  }

  static async start(): Promise<BenchRabbit> {
    if (process.env.RABBITMQ_URL) return new BenchRabbit(process.env.RABBITMQ_URL, () => Promise.resolve());
    const starter = new URL('../test/support/processes/servers.ts', import.meta.url).href;
    const { startRabbitMq } = (await import(starter)) as typeof Servers;
    const directory = mkdtempSync(join(tmpdir(), 'streamforge-bench-'));
    const server = await startRabbitMq(directory);
    return new BenchRabbit(server.env.TEST_RABBITMQ_URL as string, async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** So that no measurement begins with the messages of the one before. */
  async empty(): Promise<void> {
    const connection = await connect(this.url);
    for (const queue of QUEUES) {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined); // there is no such queue yet
      await channel.purgeQueue(queue).catch(() => undefined);
    }
    await connection.close();
  }
}
