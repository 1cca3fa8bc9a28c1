import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { ADMIN_TOKEN } from './app';

const ROOT = path.resolve(__dirname, '../..');
export const STREAMFORGE = path.join(ROOT, 'scripts/streamforge.mjs');

export interface CliRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The environment of a command, and nothing else of this process: neither its profiles nor its colours. */
export const cliEnv = (
  url: string,
  env: Record<string, string | undefined> = {},
): Record<string, string | undefined> => ({
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  STREAMFORGE_URL: url,
  STREAMFORGE_TOKEN: ADMIN_TOKEN,
  STREAMFORGE_TENANT: 'acme',
  ...env,
});

/** Runs `streamforge` as a user would, without a terminal, and waits for its end. */
export async function runStreamforge(
  args: readonly string[],
  { env, input = '' }: { env: Record<string, string | undefined>; input?: string },
): Promise<CliRun> {
  const child = spawn(process.execPath, [STREAMFORGE, ...args], { env, stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.on('error', () => undefined); // a command that reads no input may have ended
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}
