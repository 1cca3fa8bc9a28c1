import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Breach } from '../verify/oracle/violation';
import type { Edit, NoticedByVerify } from './deliberate-fault';

const ROOT = path.resolve(__dirname, '../..');
const CONFIGURATION = ['package.json', 'jest.config.js', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const COPIED = ['src', 'test', 'migrations', 'scripts', '.env.example', 'openapi.json', ...CONFIGURATION];
/** A test may hang without a safeguard. */
const TESTS_WITHIN_MS = 300_000;
const BUILD_WITHIN_MS = 300_000;
/** The fault suite has a shorter limit of its own. */
const VERIFY_WITHIN_MS = 900_000;
const INCONCLUSIVE = 3;

interface JestResults {
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; assertionResults: { status: string; title: string }[] }[];
}

/** A copy of the source tree with edits. */
export class ChangedTree {
  private readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-sensitivity-'));

  /** @throws if the text of an edit does not occur exactly once */
  constructor(edits: readonly Edit[]) {
    for (const name of COPIED) fs.cpSync(path.join(ROOT, name), this.path(name), { recursive: true });
    fs.symlinkSync(path.join(ROOT, 'node_modules'), this.path('node_modules'));
    for (const { file, find, replace } of edits) {
      const parts = fs.readFileSync(this.path(file), 'utf8').split(find);
      if (parts.length !== 2) throw new Error(`found ${parts.length - 1} times in ${file}: ${find}`);
      fs.writeFileSync(this.path(file), parts.join(replace));
    }
  }

  /** Runs these test files and returns the names of the tests that failed. @throws if not all could be run */
  failedTests(tests: readonly string[]): string[] {
    if (tests.some((file) => file.startsWith('test/e2e/'))) this.build();
    const file = this.path('results.json');
    const flags = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
    const { output } = this.run([...flags, '--json', `--outputFile=${file}`, ...tests], TESTS_WITHIN_MS);
    const results = JSON.parse(fs.readFileSync(file, 'utf8')) as JestResults;
    if (results.numRuntimeErrorTestSuites > 0 || results.testResults.length !== tests.length) {
      throw new Error(`not all tests could be run:\n${output.slice(-4_000)}`);
    }
    return results.testResults.flatMap(({ name, assertionResults }) => {
      const shortName = path.basename(name, '.test.ts');
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      return failed.map(({ title }) => `${shortName}: ${title}`);
    });
  }

  /** Runs the fault suite and returns the violations by kind. @throws if the run was inconclusive */
  brokenPromises({ seed, seconds, kinds }: NoticedByVerify): Map<Breach, number> {
    this.build();
    const chosen = kinds ? ['--kinds', kinds.join() || 'none'] : [];
    const options = ['--seed', String(seed), '--minutes', String(seconds / 60), ...chosen, '--no-shrink'];
    const { status, output } = this.run(['scripts/verify.mjs', ...options], VERIFY_WITHIN_MS);
    const directory = /^journal, stories and output of all processes: (.+)$/m.exec(output)?.[1];
    if (directory) fs.rmSync(directory, { recursive: true, maxRetries: 5 });
    if (status === INCONCLUSIVE || !/^accepted \d+/m.test(output)) {
      throw new Error(`the fault suite had no result:\n${output.slice(-4_000)}`);
    }
    const broken = /^broken: (.+)$/m.exec(output)?.[1] ?? '';
    const counts = [...broken.matchAll(/([^,]+) (\d+)(?:, |$)/g)];
    return new Map(counts.map(([, breach, count]) => [breach as Breach, Number(count)]));
  }

  remove(): void {
    fs.rmSync(this.directory, { recursive: true, maxRetries: 5 });
  }

  /** @throws if the tree does not compile */
  private build(): void {
    const { status, output } = this.run(['node_modules/@nestjs/cli/bin/nest.js', 'build'], BUILD_WITHIN_MS);
    if (status !== 0) throw new Error(`the changed tree does not compile:\n${output}`);
  }

  private run(args: readonly string[], timeout: number): { status: number | null; output: string } {
    const done = spawnSync(process.execPath, args, {
      cwd: this.directory,
      encoding: 'utf8',
      timeout,
      killSignal: 'SIGTERM',
      maxBuffer: 256 * 1024 * 1024,
    });
    if (done.error) throw done.error;
    return { status: done.status, output: done.stdout + done.stderr };
  }

  private path(name: string): string {
    return path.join(this.directory, name);
  }
}
