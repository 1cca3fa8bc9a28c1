import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import type * as Servers from '../test/support/processes/servers.js';
import { startersOfTests } from '#bench/test-servers';

const QUEUES = ['events.main', 'events.retry', 'events.bundles', 'events.dlq'];

/** The RabbitMQ of a run: the server of RABBITMQ_URL, whose queues are purged, or a private one. */
export class BenchRabbit {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** The HTTP API of a private server. */
  private readonly managementUrl: string | undefined;
  private virtualHosts = 0;

  private constructor(url: string, stop: () => Promise<void>, managementUrl?: string) {
    this.url = url;
    this.stop = stop;
    this.managementUrl = managementUrl;
  }

  static async start(): Promise<BenchRabbit> {
    if (process.env.RABBITMQ_URL) return new BenchRabbit(process.env.RABBITMQ_URL, () => Promise.resolve());
    const { startRabbitMq } = await startersOfTests<typeof Servers>('servers');
    const directory = mkdtempSync(join(tmpdir(), 'streamforge-bench-'));
    const server = await startRabbitMq(directory);
    const stop = async (): Promise<void> => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    };
    return new BenchRabbit(server.env.TEST_RABBITMQ_URL as string, stop, server.env.TEST_RABBITMQ_MANAGEMENT_URL);
  }

  /** Runs `work` on a new virtual host, then deletes it. On the server of RABBITMQ_URL, it only purges the queues. */
  async withVirtualHost<T>(work: (url: string) => Promise<T>): Promise<T> {
    if (this.managementUrl === undefined) {
      await this.empty();
      return work(this.url);
    }
    const name = `bench-${++this.virtualHosts}`;
    await manage(this.managementUrl, 'PUT', `vhosts/${name}`);
    try {
      const everything = { configure: '.*', write: '.*', read: '.*' };
      await manage(this.managementUrl, 'PUT', `permissions/${name}/guest`, everything);
      return await work(`${this.url}/${name}`);
    } finally {
      await manage(this.managementUrl, 'DELETE', `vhosts/${name}`);
    }
  }

  /** Purges the queues, so that no measurement starts with messages of the previous one. */
  async empty(): Promise<void> {
    const connection = await connect(this.url);
    for (const queue of QUEUES) {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined); // the queue does not exist yet
      await channel.purgeQueue(queue).catch(() => undefined);
    }
    // Each measurement has a database of its own, which is an installation of its own.
    await (await connection.createChannel()).deleteQueue('events.installation');
    await connection.close();
  }
}

async function manage(managementUrl: string, method: string, path: string, body?: unknown): Promise<void> {
  const { origin, username, password } = new URL(managementUrl);
  const response = await fetch(`${origin}/api/${path}`, {
    method,
    headers: {
      Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'Content-Type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`RabbitMQ responded with ${response.status} to ${method} ${path}`);
}
