import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { eventually } from '../eventually';

/** A directory for the embedded PostgreSQL of one test file. */
export interface TestDataDirectory {
  path: string;
  /** Of the postmaster that runs on it, if one does. */
  postmasterPid(): number | undefined;
  /** Ends a postmaster that a killed owner left behind, and removes the files. */
  drop(): Promise<void>;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`; // an orphan that nobody waits for stays as a zombie in some containers
  return !fs.existsSync(stat) || !fs.readFileSync(stat, 'utf8').includes(') Z ');
}

export function createDataDirectory(): TestDataDirectory {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-e2e-'));
  fs.chmodSync(directory, 0o755); // root gives PostgreSQL to another account, which must be able to come in
  const postmasterPid = (): number | undefined => {
    const file = path.join(directory, 'postgres', 'postmaster.pid');
    const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8').split('\n')[0]) : 0;
    return pid > 0 && isAlive(pid) ? pid : undefined;
  };
  return {
    path: directory,
    postmasterPid,
    drop: async () => {
      const pid = postmasterPid();
      if (pid !== undefined) {
        process.kill(pid, 'SIGQUIT');
        await eventually(() => expect(isAlive(pid)).toBe(false));
      }
      fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
