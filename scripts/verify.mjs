/**
 * npm run verify -- [--minutes 1] [--seed N]: the fault suite of test/verify (docs/verify.md). Jest is only what runs its
 * TypeScript; the suite starts servers of its own and prints its verdict. Exit code 0: every promise was kept.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const USAGE = 'npm run verify -- [--minutes 1] [--seed N]';
const ROOT = path.resolve(import.meta.dirname, '..');
const options = {
  minutes: { type: 'string', default: '1' },
  seed: { type: 'string', default: String(randomInt(1e9)) },
};

function numbersGiven() {
  try {
    const { minutes, seed } = parseArgs({ options }).values;
    if (Number(minutes) > 0 && Number.isInteger(Number(seed))) return { minutes, seed };
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
  }
  process.stderr.write(`usage: ${USAGE}\n`);
  process.exit(2);
}

const { minutes, seed } = numbersGiven();
const jest = ['node_modules/jest/bin/jest.js', '--config', 'test/verify/jest.config.js'];
const { status } = spawnSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', ...jest], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, VERIFY_SECONDS: String(Number(minutes) * 60), VERIFY_SEED: seed },
});
process.exit(status ?? 1);
