import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { postgresBinaries } from '../support/processes/servers';

const PAGE = path.resolve(__dirname, '../../docs/failover.md');

/**
 * Runs the commands of docs/failover.md that contain a text, with psql of the servers, and returns what they print.
 * @param account under which they run; that of this process by default
 * @throws with what they say if they fail
 */
export async function runCommandsOfPage(
  containing: string,
  { cwd, ...env }: { cwd: string } & Record<string, string>,
  account: { uid?: number; gid?: number } = {},
): Promise<string> {
  const matches = fs.readFileSync(PAGE, 'utf8').matchAll(/^( *)```sh\n([\s\S]*?)^ *```/gm);
  const blocks = [...matches].map(([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
  const found = blocks.filter((block) => block.includes(containing));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${PAGE} contain ${containing}`);
  const run = promisify(execFile)('bash', ['-c', found[0] as string], {
    ...account,
    cwd,
    env: { ...env, PATH: `${postgresBinaries()}:${process.env.PATH}` },
    maxBuffer: 64 * 1024 * 1024,
  });
  return (await run).stdout;
}
