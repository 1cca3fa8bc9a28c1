/**
 * npm run verify -- [--minutes 1] [--seed N] [--kinds kill-worker,cut-postgres] [--faults 1,2,5] [--rest-seconds 75]
 *   [--no-shrink]
 * Runs the fault suite of test/verify (docs/verify.md). Exit code 0: no violations. 1: violations. 3: inconclusive, because
 * the run itself failed or did not end in time.
 */
import '../src/runtime/require-node.js';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { optionsOr } from './options.mjs';

const USAGE =
  'npm run verify -- [--minutes 1] [--seed N] [--kinds kill-worker,cut-postgres] [--faults 1,2,5] [--rest-seconds 75] ' +
  '[--no-shrink]';
const INCONCLUSIVE = 3;
/** Time for a run in addition to its load: starting, coming to rest, reading everything back. */
const AROUND_MS = 600_000;
/** Time to read back the events of one second of load. */
const READING_MS = 1_000;
const SHRINKING_MS = 20 * 60_000;

const {
  minutes,
  seed,
  faults,
  kinds,
  'rest-seconds': restSeconds,
  'no-shrink': noShrink,
} = optionsOr(
  USAGE,
  {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(randomInt(1e9)) },
    faults: { type: 'string' },
    kinds: { type: 'string' },
    'rest-seconds': { type: 'string', default: '75' },
    'no-shrink': { type: 'boolean', default: false },
  },
  (given) => Number(given.minutes) > 0 && Number.isInteger(Number(given.seed)) && Number(given['rest-seconds']) > 0,
);
const seconds = Number(minutes) * 60;
const root = path.resolve(import.meta.dirname, '..');
const run = spawn(
  process.execPath,
  [
    '--no-warnings',
    '--enable-source-maps',
    ...['--require', path.join(root, 'scripts/run-typescript.cjs'), path.join(root, 'test/verify/run/main.ts')],
    ...['--seed', seed, '--seconds', String(seconds), '--rest-seconds', restSeconds],
    ...(faults === undefined ? [] : ['--faults', faults]),
    ...(kinds === undefined ? [] : ['--kinds', kinds]),
    ...(noShrink ? [] : ['--shrink']),
  ],
  { cwd: root, stdio: 'inherit' },
);
const most = seconds * (1_000 + READING_MS) + AROUND_MS + (noShrink ? 0 : SHRINKING_MS);
const deadline = setTimeout(() => endAll(`no end within ${Math.round(most / 1_000)} s`), most);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => endAll(signal));
run.on('exit', (code) => {
  clearTimeout(deadline);
  process.exit(code ?? INCONCLUSIVE);
});

/** Kills the run with everything that it started. */
function endAll(why) {
  process.stdout.write(`inconclusive: ${why}\n`);
  for (const pid of withDescendants(run.pid)) kill(pid);
  process.exit(INCONCLUSIVE);
}

function withDescendants(first) {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [Number(pid), parentOf(pid)]);
  const found = [first];
  for (const parent of found) found.push(...parents.filter(([, of]) => of === parent).map(([pid]) => pid));
  return found;
}

/** Returns undefined if the process has ended in the meantime. */
function parentOf(pid) {
  try {
    return Number(/^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
