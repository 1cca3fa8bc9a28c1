#!/usr/bin/env node
/**
 * The command `streamforge`. It builds dist/ first if the sources have changed, as `npm start` does, and runs on the Node.js
 * that `npm ci` has installed if the one that it was started with is too old.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

const SELF = fileURLToPath(import.meta.url); // import.meta.filename is missing from an old Node.js
const ROOT = path.resolve(path.dirname(SELF), '..');
const OWN_NODE = path.join(ROOT, 'node_modules/node/bin/node');
const BUILD = path.join(ROOT, 'scripts/build.mjs');
const CLI = path.join(ROOT, 'dist/src/cli/streamforge.js');

const isTooOld = Number(process.versions.node.split('.')[0]) < 22;
if (isTooOld && existsSync(OWN_NODE)) {
  const { status } = spawnSync(OWN_NODE, [SELF, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
if (existsSync(BUILD)) {
  const { status } = spawnSync(process.execPath, [BUILD, '--if-changed'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
createRequire(import.meta.url)(CLI);
