/**
 * node scripts/build.mjs [--if-changed]
 * Compiles src/ and migrations/ into dist/, and bundles console/ into dist/console/. With --if-changed, it builds only if
 * a source, a setting of the compiler or dist/ itself has changed since the last build. `npm start` and the commands use
 * that form.
 *
 * After `npm ci --omit=dev` there is no compiler. A dist/ that was built before is used then, with a warning if it was
 * built from other sources.
 */
import '../src/runtime/require-node.js';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { optionsOr } from './options.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const COMPILER = path.join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
const BUNDLER = path.join(ROOT, 'node_modules/vite/bin/vite.js');
const FOLDERS = ['src', 'migrations', 'console'];
const FILES = ['nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
/** Types of the console, which scripts/console-types.mjs makes from openapi.json: not a source. */
const GENERATED = 'schema.d.ts';
const MAIN = path.join(ROOT, 'dist/src/main.js');
/** The compiler writes this file whenever it writes dist/. */
const BUILD_INFO = path.join(ROOT, 'dist/.tsbuildinfo');
/** Code that V8 compiled, kept by src/runtime/quick-start.ts. */
const COMPILE_CACHE = path.join(ROOT, 'dist/.compile-cache');
/** What dist/ was built from. */
const STAMP = path.join(ROOT, 'dist/.built-from');

const { 'if-changed': onlyIfChanged } = optionsOr('node scripts/build.mjs [--if-changed]', {
  'if-changed': { type: 'boolean', default: false },
});

const reason = onlyIfChanged ? reasonToBuild() : 'as requested';
if (reason !== undefined) {
  if (existsSync(COMPILER)) await build();
  else useWhatIsThere();
}

function reasonToBuild() {
  if (!existsSync(MAIN)) return 'there is no dist/ yet';
  if (!existsSync(STAMP)) return 'dist/ does not say what it was built from';
  return readFileSync(STAMP, 'utf8') === stamp() ? undefined : 'the sources have changed since the last build';
}

async function build() {
  if (onlyIfChanged) process.stderr.write(`Building dist/: ${reason}.\n`);
  rmSync(COMPILE_CACHE, { recursive: true, force: true });
  const statuses = await Promise.all([run(COMPILER, 'build'), run(BUNDLER, 'build', 'console', '--logLevel', 'warn')]);
  const failed = statuses.find((status) => status !== 0);
  if (failed !== undefined) process.exit(failed);
  writeFileSync(STAMP, stamp());
}

/** Runs a script of a package and resolves with its exit code. */
function run(script, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit' });
    child.once('error', reject).once('close', (status) => resolve(status ?? 1));
  });
}

function useWhatIsThere() {
  if (!existsSync(MAIN) || !onlyIfChanged) {
    process.stderr.write(
      'The compiler is not installed. Run "npm ci" (without --omit=dev) and "npm run build" first, or copy dist/ from a ' +
        'machine where that was done.\n',
    );
    process.exit(1);
  }
  if (!existsSync(STAMP) || sourcesOf(readFileSync(STAMP, 'utf8')) !== sourcesOf(stamp())) {
    process.stderr.write(
      'dist/ may be older than src/, and the compiler is not installed. Starting what is in dist/.\n',
    );
  }
}

/** Two lines: the digest of the sources, and the time at which the compiler wrote dist/. */
function stamp() {
  const digest = createHash('sha256');
  for (const file of [...FOLDERS.flatMap(filesIn), ...FILES]) {
    digest
      .update(`${file}\0`)
      .update(readFileSync(path.join(ROOT, file)))
      .update('\0');
  }
  const written = existsSync(BUILD_INFO) ? statSync(BUILD_INFO).mtimeMs : 0;
  return `${digest.digest('hex')}\n${written}\n`;
}

function filesIn(folder) {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== GENERATED)
    .map((entry) => path.join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

function sourcesOf(text) {
  return text.split('\n')[0];
}
