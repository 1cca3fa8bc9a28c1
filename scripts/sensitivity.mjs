/**
 * npm run sensitivity [-- --only <part of a name>]: switches each safeguard of test/sensitivity/safeguards.ts off, one at
 * a time in a copy of the tree, and runs the tests that have to notice. First they must pass as things are. Exit code 1
 * when one goes unnoticed. It takes about ten minutes.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { SAFEGUARDS } from '../test/sensitivity/safeguards.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const COPIED = ['src', 'test', 'migrations', 'package.json', 'jest.config.js', 'nest-cli.json', 'tsconfig.json'];
const COPIED_TOO = ['tsconfig.build.json', '.env.example'];
/** Without a safeguard a test may hang; what takes longer than this has noticed nothing. */
const TESTS_WITHIN_MS = 300_000;

const { only } = parseArgs({ options: { only: { type: 'string', default: '' } } }).values;
const chosen = SAFEGUARDS.filter(({ name }) => name.includes(only));

function copyOfTree() {
  const directory = mkdtempSync(path.join(tmpdir(), 'streamforge-sensitivity-'));
  for (const name of [...COPIED, ...COPIED_TOO]) {
    cpSync(path.join(ROOT, name), path.join(directory, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
  return directory;
}

function change(directory, { name, edits }) {
  for (const { file, find, replace } of edits) {
    const parts = readFileSync(path.join(directory, file), 'utf8').split(find);
    if (parts.length !== 2) throw new Error(`${name}: occurs ${parts.length - 1} times in ${file}: ${find}`);
    writeFileSync(path.join(directory, file), parts.join(replace));
  }
}

/** Runs jest there. Returns the names of the tests that failed. */
function failedTests(directory, tests) {
  if (tests.some((file) => file.startsWith('test/e2e/'))) build(directory);
  const results = path.join(directory, 'results.json');
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const options = { cwd: directory, encoding: 'utf8', timeout: TESTS_WITHIN_MS, env: { ...process.env, CI: 'true' } };
  const run = spawnSync(process.execPath, [...jest, '--json', `--outputFile=${results}`, ...tests], options);
  if (run.error) throw run.error;
  const { testResults, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(results, 'utf8'));
  if (numRuntimeErrorTestSuites > 0 || testResults.length < tests.length) {
    throw new Error(`not all tests could be run:\n${run.stderr.slice(-4_000)}`);
  }
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ title }) => `${path.relative(directory, name).replace(/^test\/|\.test\.ts$/g, '')}: ${title}`),
  );
}

function build(directory) {
  const { status, stdout } = spawnSync('node_modules/.bin/nest', ['build'], { cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Error(`does not build:\n${stdout}`);
}

function inCopy(work) {
  const directory = copyOfTree();
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, maxRetries: 5 });
  }
}

function withoutSafeguard(safeguard) {
  return inCopy((directory) => {
    change(directory, safeguard);
    return failedTests(directory, safeguard.tests);
  });
}

const say = (line) => process.stdout.write(`${line}\n`);
const row = (name, invariant, noticed, by) =>
  `| ${name.padEnd(56)} | ${invariant.padEnd(9)} | ${noticed.padEnd(7)} | ${by} |`;

const before = inCopy((directory) => failedTests(directory, [...new Set(chosen.flatMap(({ tests }) => tests))]));
if (before.length > 0) {
  say(`with every safeguard in place these fail:\n${before.join('\n')}`);
  process.exit(2);
}
say(row('safeguard that is switched off', 'invariant', 'noticed', 'by'));
say(row('---', '---', '---', '---'));
for (const safeguard of chosen) {
  const failed = withoutSafeguard(safeguard);
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
  if (failed.length === 0) process.exitCode = 1;
  say(row(safeguard.name, safeguard.invariant, failed.length > 0 ? 'yes' : 'NO', `${failed[0] ?? ''}${more}`));
}
