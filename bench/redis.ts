import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Servers from '../test/support/processes/servers.js';
import { startersOfTests } from '#bench/test-servers';

/** The Redis of a run: the server of REDIS_URL, or a private one. */
export class BenchRedis {
  readonly url: string;
  readonly stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.stop = stop;
  }

  static async start(): Promise<BenchRedis> {
    if (process.env.REDIS_URL) return new BenchRedis(process.env.REDIS_URL, () => Promise.resolve());
    const { startRedis } = await startersOfTests<typeof Servers>('servers');
    const directory = mkdtempSync(join(tmpdir(), 'streamforge-bench-'));
    const server = await startRedis(directory);
    return new BenchRedis(server.env.TEST_REDIS_URL as string, async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    });
  }
}
