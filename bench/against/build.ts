import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const TREE = fileURLToPath(new URL('../../', import.meta.url));

/** A compiled StreamForge. The bench uses only `dist/src/main.js`, `dist/src/commands/migrate.js` and its HTTP API. */
export interface Build {
  name: string;
  directory: string;
}

/** The build of this tree, which `npm run bench` has just compiled. */
export function ownBuild(): Build {
  return { name: describe(TREE), directory: TREE };
}

/**
 * Compiles another StreamForge: the one in a directory, or a revision of this repository. Revisions are cached in
 * `~/.cache/streamforge-builds`.
 * @throws Error if there is no such directory or revision, or if it does not compile.
 */
export function otherBuild(against: string): Build {
  const isDirectory = existsSync(join(against, 'src/main.ts'));
  const build = isDirectory ? { name: describe(against), directory: resolve(against) } : checkOut(commitOf(against));
  if (!isDirectory) provideModules(build.directory);
  run('npm', ['run', '--silent', 'build'], build.directory);
  return build;
}

function describe(directory: string): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: directory,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : directory;
}

function commitOf(revision: string): string {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { status, stdout } = spawnSync('git', args, { cwd: TREE, encoding: 'utf8' });
  if (status !== 0) throw new Error(`--against must be a git revision or a directory of StreamForge, not ${revision}`);
  return stdout.trim();
}

/** Exports the files instead of adding a `git worktree`, which would stay registered in the repository. */
function checkOut(commit: string): Build {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'streamforge-builds');
  const directory = join(cache, commit);
  if (!existsSync(directory)) {
    const fresh = `${directory}.${process.pid}.new`; // an interrupted export never gets the final name
    mkdirSync(fresh, { recursive: true });
    run('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', commit, fresh], TREE);
    renameSync(fresh, directory);
  }
  return { name: commit.slice(0, 7), directory };
}

/** Links to this tree's packages when the lock files are equal, because `npm ci` takes minutes. */
function provideModules(directory: string): void {
  const modules = join(directory, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(modules);
  if (existsSync(join(modules, '.package-lock.json'))) return; // npm writes it last
  rmSync(modules, { recursive: true, force: true });
  const lockOf = (root: string): string => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lockOf(directory) === lockOf(TREE)) symlinkSync(realpathSync(join(TREE, 'node_modules')), modules);
  else run('npm', ['ci', '--ignore-scripts'], directory);
}

/** Runs a command on this Node, without the variables that npm sets for the package of this tree. */
function run(file: string, args: string[], cwd: string): void {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  execFileSync(file, args, { cwd, env: { ...Object.fromEntries(own), PATH }, stdio: ['ignore', 'ignore', 'inherit'] });
}
