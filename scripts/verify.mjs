/**
 * npm run verify -- [--minutes 1] [--seed N]: the fault suite of test/verify (docs/verify.md). Exit code 0: every promise
 * was kept.
 */
import '../src/runtime/require-node.js';
import { randomInt } from 'node:crypto';
import { optionsOr, runByJest } from './run-by-jest.mjs';

const { minutes, seed } = optionsOr(
  'npm run verify -- [--minutes 1] [--seed N]',
  { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: String(randomInt(1e9)) } },
  (given) => Number(given.minutes) > 0 && Number.isInteger(Number(given.seed)),
);
runByJest('test/verify/jest.config.js', { VERIFY_SECONDS: String(Number(minutes) * 60), VERIFY_SEED: seed });
