import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import type { Cli } from './cli';
import { CliError, EXIT } from './cli-error';

/** The folder of the checkout, or of the image: this file is dist/src/cli/checkout.js. */
export const CHECKOUT = path.resolve(__dirname, '../../..');

/** Runs a script of the checkout with these arguments, on the same terminal. @throws CliError when it is missing or fails */
export async function runInCheckout(cli: Cli, script: string, args: readonly string[]): Promise<void> {
  const file = path.join(CHECKOUT, script);
  if (!existsSync(file))
    throw new CliError(`${script} is not here. Run this in a checkout of StreamForge.`, EXIT.failed);
  const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], {
    cwd: CHECKOUT,
    env: cli.around.env,
    stdio: 'inherit',
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new CliError(`${script} ended with ${code}.`, EXIT.failed);
}
