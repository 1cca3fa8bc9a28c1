import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { eventually } from '../eventually';
import { isRunning } from './process-tree';

/** A data directory for the embedded PostgreSQL of one test file. */
export interface TestDataDirectory {
  path: string;
  /** The pid of the postmaster that runs in it; undefined when none does. */
  postmasterPid(): number | undefined;
  /** Stops a postmaster that a killed owner left running, and removes the files. */
  drop(): Promise<void>;
}

export function createDataDirectory(): TestDataDirectory {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-e2e-'));
  fs.chmodSync(directory, 0o755); // root runs PostgreSQL under another account, which must be able to enter
  const postmasterPid = (): number | undefined => {
    const file = path.join(directory, 'postgres', 'postmaster.pid');
    const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8').split('\n')[0]) : 0;
    return pid > 0 && isRunning(pid) ? pid : undefined;
  };
  return {
    path: directory,
    postmasterPid,
    drop: async () => {
      const pid = postmasterPid();
      if (pid !== undefined) {
        process.kill(pid, 'SIGQUIT');
        await eventually(() => expect(isRunning(pid)).toBe(false));
      }
      fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
