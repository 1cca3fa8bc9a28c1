import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { eventually } from '../eventually';
import { isRunning } from './process-tree';

/** A directory for the embedded PostgreSQL of one test file. */
export interface TestDataDirectory {
  path: string;
  /** Of the postmaster that runs on it, if one does. */
  postmasterPid(): number | undefined;
  /** Ends a postmaster that a killed owner left behind, and removes the files. */
  drop(): Promise<void>;
}

export function createDataDirectory(): TestDataDirectory {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-e2e-'));
  fs.chmodSync(directory, 0o755); // root gives PostgreSQL to another account, which must be able to come in
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
