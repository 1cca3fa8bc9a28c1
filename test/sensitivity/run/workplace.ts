import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { redisCommand, rowsOf } from '../../support/processes/e2e-own-servers';
import { startServers, stopServers, type Servers } from '../../verify/landscape/servers';
import type { Breach } from '../../verify/oracle/violation';
import type { NoticedByVerify } from '../deliberate-fault';
import { ChangedTree } from './changed-tree';
import { runNode } from './node-process';
import type { Findings } from './outcome';
import type { Task } from './task';

/** A test may hang without a safeguard. */
const TESTS_WITHIN_MS = 600_000;
/** The fault suite has a shorter limit of its own. */
const VERIFY_WITHIN_MS = 900_000;
/** The unchanged tree is never without progress for a quarter of this. */
const REST_SECONDS = 30;
const INCONCLUSIVE = 3;
const TOLD_LENGTH = 4_000;

interface JestResults {
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; assertionResults: { status: string; title: string }[] }[];
}

/** Where one task at a time runs, with a tree, servers and temporary files of its own. */
export class Workplace {
  private readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-sensitivity-'));
  private readonly tree = new ChangedTree(path.join(this.directory, 'tree'));
  private servers: Servers | undefined;

  constructor(private readonly signal: AbortSignal) {
    fs.chmodSync(this.directory, 0o755); // root runs PostgreSQL under another account
  }

  /** @throws if the try was inconclusive */
  carryOut({ edits, proof }: Task): Promise<Findings> {
    return this.tree.with(edits, async () =>
      'tests' in proof ? this.failedTests(proof.tests) : this.brokenPromises(proof),
    );
  }

  async close(): Promise<void> {
    await this.stopServers();
    fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Runs these test files. @throws if not all could be run */
  private async failedTests(tests: readonly string[]): Promise<Findings> {
    const env = await this.urlsOfServers();
    const results = path.join(this.directory, 'results.json');
    fs.rmSync(results, { force: true });
    const flags = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
    const cache = `--cacheDirectory=${path.join(this.directory, 'jest')}`;
    const { output } = await this.run(
      [...flags, '--json', `--outputFile=${results}`, cache, ...tests],
      TESTS_WITHIN_MS,
      env,
    );
    if (!fs.existsSync(results)) throw new Error(`no test could be run:\n${output.slice(-TOLD_LENGTH)}`);
    const { numRuntimeErrorTestSuites, testResults } = JSON.parse(fs.readFileSync(results, 'utf8')) as JestResults;
    if (numRuntimeErrorTestSuites > 0 || testResults.length !== tests.length) {
      throw new Error(`not all tests could be run:\n${output.slice(-TOLD_LENGTH)}`);
    }
    const failedTests = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ title }) => `${path.basename(name, '.test.ts')}: ${title}`),
    );
    if (failedTests.length > 0) await this.checkServers();
    return { failedTests, output };
  }

  /** Runs the fault suite. @throws if the run was inconclusive */
  private async brokenPromises({ seed, seconds, kinds }: NoticedByVerify): Promise<Findings> {
    const chosen = kinds ? ['--kinds', kinds.join() || 'none'] : [];
    const options = ['--seed', String(seed), '--minutes', String(seconds / 60), '--rest-seconds', String(REST_SECONDS)];
    const args = ['scripts/verify.mjs', ...options, ...chosen, '--no-shrink'];
    const { status, output } = await this.run(args, VERIFY_WITHIN_MS);
    if (status === INCONCLUSIVE || !/^accepted \d+/m.test(output)) {
      throw new Error(`the fault suite had no result:\n${output.slice(-TOLD_LENGTH)}`);
    }
    const broken = /^broken: (.+)$/m.exec(output)?.[1] ?? '';
    const counts = [...broken.matchAll(/([^,]+) (\d+)(?:, |$)/g)];
    return { broken: new Map(counts.map(([, breach, count]) => [breach as Breach, Number(count)])), output };
  }

  /** Runs Node.js in the tree. Its temporary files are removed afterwards. */
  private async run(args: readonly string[], withinMs: number, env: NodeJS.ProcessEnv = {}) {
    const temporary = path.join(this.directory, 'tmp');
    fs.mkdirSync(temporary, { recursive: true });
    try {
      return await runNode(args, {
        cwd: this.tree.directory,
        env: { ...process.env, TMPDIR: temporary, ...env },
        outputFile: path.join(this.directory, 'output.txt'),
        withinMs,
        signal: this.signal,
      });
    } finally {
      fs.rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** Starts the servers of tests, once, because RabbitMQ needs longer than most test files. @throws if one does not start */
  private async urlsOfServers(): Promise<Record<string, string>> {
    if (!this.servers) {
      const directory = path.join(this.directory, 'servers');
      fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
      fs.mkdirSync(directory);
      this.servers = await startServers(directory);
    }
    const { postgres, redis, rabbitmq } = this.servers;
    return { TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url, ...rabbitmq.env };
  }

  /** A test that failed because its server is gone did not notice the fault. @throws if one is gone */
  private async checkServers(): Promise<void> {
    if (!this.servers) return;
    const { postgres, redis, rabbitmq } = this.servers;
    try {
      await rowsOf(postgres.url, 'select 1');
      await redisCommand(redis.url, 'ping');
      await fetch(new URL(rabbitmq.env.TEST_RABBITMQ_MANAGEMENT_URL as string).origin);
    } catch (error) {
      await this.stopServers();
      throw new Error('a server of the tests is gone', { cause: error });
    }
  }

  private async stopServers(): Promise<void> {
    const { servers } = this;
    this.servers = undefined;
    if (servers) await stopServers(servers);
  }
}
