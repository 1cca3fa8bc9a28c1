import * as fs from 'node:fs';
import * as path from 'node:path';
import { chooseRuntimeDirectory, readIfThere, serverUser } from './embedded-postgres-files';
import { isProcessRunning, startTimeOf } from './embedded-postgres-processes';

/** The StreamForge that runs on a data directory. */
interface RunningInstance {
  pid: number;
  /** Tells this process from a later one with the same pid. */
  startTime: string;
  /** Undefined until it listens. */
  url?: string;
}

export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/** A process's right to run on a data directory. */
export interface DirectoryClaim {
  /** Records where the process listens, so that commands find it. */
  announce(url: string): void;
  release(): void;
}

/**
 * Claims the data directory for this process. Two StreamForges on one directory would each have a broker and a cache of
 * their own, and the first to stop would take the database away from the other.
 * @throws AlreadyRunningError
 */
export function claimDirectory(dataDir: string): DirectoryClaim {
  const file = fileIn(dataDir);
  const other = readInstance(file);
  if (other) {
    const where = other.url === undefined ? '' : ` at ${other.url}`;
    throw new AlreadyRunningError(
      `StreamForge is already running on ${path.resolve(dataDir)} (process ${other.pid}${where}). Stop it first, or set ` +
        'STREAMFORGE_DATA_DIR to another directory.',
    );
  }
  fs.rmSync(file, { force: true }); // of a process that was killed
  const own = { pid: process.pid, startTime: startTimeOf(process.pid) };
  fs.writeFileSync(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
  return {
    announce: (url) => fs.writeFileSync(file, JSON.stringify({ ...own, url })),
    release: () => fs.rmSync(file, { force: true }),
  };
}

/** Returns the address of the StreamForge that runs on the data directory. */
export function runningInstanceUrl(dataDir: string): string | undefined {
  return readInstance(fileIn(dataDir))?.url;
}

function fileIn(dataDir: string): string {
  return path.join(chooseRuntimeDirectory(dataDir, serverUser()), 'streamforge.running');
}

function readInstance(file: string): RunningInstance | undefined {
  const text = readIfThere(file);
  if (text === undefined || text === '') return undefined; // empty: the process was killed while it wrote
  const found = JSON.parse(text) as RunningInstance;
  return isProcessRunning(found.pid) && startTimeOf(found.pid) === found.startTime ? found : undefined;
}
