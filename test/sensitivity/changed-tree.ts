import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Edit } from './safeguards';

const ROOT = path.resolve(__dirname, '../..');
const CONFIGURATION = ['package.json', 'jest.config.js', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const COPIED = ['src', 'test', 'migrations', '.env.example', ...CONFIGURATION];
/** Without a safeguard a test may hang. */
const TESTS_WITHIN_MS = 300_000;

interface JestResults {
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; assertionResults: { status: string; title: string }[] }[];
}

/** Runs test files in a copy of the tree with these changes. Returns the names of the tests that failed. */
export function failedTests(edits: readonly Edit[], tests: readonly string[]): string[] {
  const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-sensitivity-'));
  try {
    for (const name of COPIED) fs.cpSync(path.join(ROOT, name), path.join(tree, name), { recursive: true });
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'));
    for (const edit of edits) apply(tree, edit);
    if (tests.some((file) => file.startsWith('test/e2e/'))) run(tree, 'node_modules/@nestjs/cli/bin/nest.js', 'build');
    return runTests(tree, tests);
  } finally {
    fs.rmSync(tree, { recursive: true, maxRetries: 5 });
  }
}

/** @throws when what is to be changed is not there, or more than once: then the safeguard was not switched off. */
function apply(tree: string, { file, find, replace }: Edit): void {
  const parts = fs.readFileSync(path.join(tree, file), 'utf8').split(find);
  if (parts.length !== 2) throw new Error(`found ${parts.length - 1} times in ${file}: ${find}`);
  fs.writeFileSync(path.join(tree, file), parts.join(replace));
}

/** @throws when not all of them could be run: that would not be noticing either. */
function runTests(tree: string, tests: readonly string[]): string[] {
  const file = path.join(tree, 'results.json');
  const output = run(tree, 'node_modules/jest/bin/jest.js', '--json', `--outputFile=${file}`, ...tests);
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

/** Returns its output. Jest ends with 1 when a test failed, which its results tell. */
function run(tree: string, script: string, ...args: string[]): string {
  const flags = ['--experimental-vm-modules', '--no-warnings'];
  const done = spawnSync(process.execPath, [...flags, script, ...args], {
    cwd: tree,
    encoding: 'utf8',
    timeout: TESTS_WITHIN_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (done.error) throw done.error;
  if (done.status !== 0 && !script.includes('jest')) throw new Error(`${script}:\n${done.stdout}${done.stderr}`);
  return done.stdout + done.stderr;
}
