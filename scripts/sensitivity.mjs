/**
 * npm run sensitivity -- [--only <part of a name, a stage or an invariant>] [--by verify|tests]
 * Builds one deliberate fault at a time into a copy of the tree, and checks that the fault suite or a test notices it
 * (docs/verify.md). Exit code 1 if a fault goes unnoticed.
 */
import '../src/runtime/require-node.js';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { optionsOr } from './options.mjs';

const root = path.resolve(import.meta.dirname, '..');
const { only, by } = optionsOr(
  'npm run sensitivity -- [--only NAME] [--by verify|tests]',
  { only: { type: 'string', default: '' }, by: { type: 'string' } },
  (given) => given.by === undefined || ['verify', 'tests'].includes(given.by),
);
const script = ['--require', path.join(root, 'scripts/run-typescript.cjs'), path.join(root, 'test/sensitivity/run.ts')];
const options = ['--only', only, ...(by === undefined ? [] : ['--by', by])];
const { status } = spawnSync(process.execPath, ['--no-warnings', ...script, ...options], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
