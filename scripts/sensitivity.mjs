/**
 * npm run sensitivity [-- --only <part of a name, or an invariant>]: switches each safeguard of
 * test/sensitivity/safeguards.ts off, one at a time in a copy of the tree, and runs the tests that have to notice.
 * Exit code 1 when one goes unnoticed (docs/verify.md).
 */
import '../src/runtime/require-node.js';
import { optionsOr, runByJest } from './run-by-jest.mjs';

const { only } = optionsOr('npm run sensitivity -- [--only NAME]', { only: { type: 'string', default: '' } });
runByJest('test/sensitivity/jest.config.js', { SENSITIVITY_ONLY: only });
