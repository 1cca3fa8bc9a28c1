/**
 * npm run sensitivity -- [--only <part of a name, a stage or an invariant>] [--by verify|tests] [--jobs N] [--resume FILE]
 * Builds each deliberate fault into a copy of the tree, and checks that the fault suite or a test notices it
 * (docs/verify.md). Exit code 1 if a fault goes unnoticed or has no result.
 */
import '../src/runtime/require-node.js';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { optionsOr } from './options.mjs';

const { only, by, jobs, resume } = optionsOr(
  'npm run sensitivity -- [--only NAME] [--by verify|tests] [--jobs N] [--resume FILE]',
  {
    only: { type: 'string', default: '' },
    by: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    resume: { type: 'string' },
  },
  (given) => (given.by === undefined || ['verify', 'tests'].includes(given.by)) && /^[1-9]\d?$/.test(given.jobs),
);
const require = createRequire(import.meta.url);
require('./run-typescript.cjs');
const { sensitivity } = require('../test/sensitivity/run/main.ts');
try {
  process.exit(await sensitivity({ only, by, jobs: Number(jobs), resume }));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
