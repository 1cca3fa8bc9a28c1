/**
 * npm run sensitivity [-- --only <part of a name, or an invariant>]: disables each safeguard of
 * test/sensitivity/safeguards.ts, one at a time in a copy of the tree, and runs the tests that must fail without it.
 * Exits with 1 if a safeguard can be disabled without a failing test (docs/verify.md).
 */
import '../src/runtime/require-node.js';
import { optionsOr, runByJest } from './run-by-jest.mjs';

const { only } = optionsOr('npm run sensitivity -- [--only NAME]', { only: { type: 'string', default: '' } });
runByJest('test/sensitivity/jest.config.js', { SENSITIVITY_ONLY: only });
