import { spawn } from 'node:child_process';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../../..');
const WITHIN_MS = 60_000;

/** Runs a command from dist. Resolves with its exit code, or null if it was killed at the time limit. */
export function runCommand(name: string, env: Record<string, string>): Promise<number | null> {
  const command = spawn(process.execPath, [path.join(ROOT, 'dist/src/commands', `${name}.js`)], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: 'test', ...env },
    stdio: 'ignore',
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve, reject) => command.once('exit', resolve).once('error', reject));
}
