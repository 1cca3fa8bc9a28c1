/**
 * npm run test -- [options and paths of Jest]
 *
 * Runs Jest. Files that failed beside other files are run once more, one at a time: on a busy machine, a test that
 * waits for seconds may not get its share. What passes on its own is named at the end, so that somebody looks at it.
 */
import './print-help.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';

/** More failures than this are no accident. */
const MOST_REPEATED = 3;
const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const folder = mkdtempSync(join(tmpdir(), 'streamforge-totals-'));

/** The exit code, and the totals of each file: none if Jest did not get that far. */
function run(args) {
  const totalsFile = join(folder, 'totals.json');
  rmSync(totalsFile, { force: true });
  const { status } = spawnSync(process.execPath, [...JEST, ...args], {
    stdio: 'inherit',
    env: { ...process.env, TOTALS_FILE: totalsFile },
  });
  try {
    return { code: status ?? 1, files: JSON.parse(readFileSync(totalsFile, 'utf8')) };
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { code: status ?? 1, files: [] };
  }
}

const say = (line) => process.stdout.write(`${line}\n`);
const sum = (files, of) => files.reduce((total, file) => total + file[of], 0);

function main() {
  const first = run(process.argv.slice(2));
  const failed = first.files.filter((file) => file.failed > 0);
  const besideOthers = failed.length > 0 && failed.length < first.files.length;
  if (first.code === 0 || !besideOthers || failed.length > MOST_REPEATED) return first.code;

  say(`\nRunning ${failed.length} failed files again, one at a time.`);
  const again = run(['--runInBand', '--runTestsByPath', ...failed.map((file) => file.path)]);
  for (const file of again.files.filter((one) => one.failed === 0)) {
    say(`FAILED BESIDE OTHERS, PASSED ON ITS OWN: ${relative(process.cwd(), file.path)}`);
  }
  const all = [...first.files.filter((file) => file.failed === 0), ...again.files];
  say(`\n${sum(all, 'passed')} passed, ${sum(all, 'failed')} failed, ${sum(all, 'skipped')} skipped`);
  return again.code;
}

try {
  process.exitCode = main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
