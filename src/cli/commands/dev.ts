import { spawn } from 'node:child_process';
import * as path from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { CHECKOUT } from '../checkout';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT, usageError } from '../cli-error';
import { profilePath, readProfiles, writeProfiles } from '../connection/profile-file';

interface DevOptions {
  port?: string;
  open: boolean;
}

/** The profile that the other commands then find the installation by. */
const DEV_PROFILE = 'dev';

export const addDev: Adding = (program: Command, run) => {
  program
    .command('dev')
    .description('start everything here, open the console, and save the profile "dev" for the other commands')
    .option('--port <port>', 'port (default: PORT, or 3000)')
    .option('--no-open', 'do not open the console')
    .action(run<DevOptions>(dev));
};

/** Runs StreamForge as `npm start` does until Ctrl C, and shows what it prints. */
async function dev(cli: Cli, { port, open }: DevOptions): Promise<void> {
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw usageError(`--port ${port} must be a number.`);
  const flags = ['--initial-heap-size=256', '--enable-source-maps', '--disable-sigusr1'];
  const child = spawn(process.execPath, [...flags, path.join(CHECKOUT, 'dist/src/main.js')], {
    cwd: CHECKOUT,
    env: { ...cli.around.env, ...(port === undefined ? {} : { PORT: port }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Ctrl C reaches the process itself; another signal to this one is passed on, so that nothing is left running.
  const pass = (): void => void child.kill('SIGTERM');
  process.once('SIGTERM', pass);
  let printed = '';
  let isUp = false;
  child.stdout.on('data', (chunk: Buffer) => {
    cli.around.stdout.write(chunk);
    if (isUp) return;
    printed += chunk.toString();
    const banner = bannerOf(printed);
    if (banner === undefined) return;
    isUp = true;
    saveProfile(cli, banner);
    if (open && cli.around.stdout.isTTY === true) openBrowser(banner.console);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  process.removeListener('SIGTERM', pass);
  if (code !== 0) throw new CliError(`StreamForge ended with ${code}.`, EXIT.failed);
}

export interface DevBanner {
  url: string;
  console: string;
  /** Undefined: ADMIN_TOKEN was set. */
  token: string | undefined;
}

/** Reads what a start prints (runtime/banner.ts), once all of it is there. */
export function bannerOf(text: string): DevBanner | undefined {
  const block = /StreamForge is ready[^\n]*\n((?: {2}\S[^\n]*\n)+)\n/.exec(text)?.[1];
  if (block === undefined) return undefined;
  // With OPS_PORT, everything is at its address, and only a part at the other one.
  const url = (/^ {2}operations +(\S+)$/m.exec(block) ?? /^ {2}address +(\S+)$/m.exec(block))?.[1];
  if (url === undefined) return undefined;
  const console = /^ {2}console +(\S+)/m.exec(block)?.[1] ?? `${url}/console`;
  return { url, console, token: /X-Admin-Token: (\S+) {2}\(generated/.exec(block)?.[1] };
}

function saveProfile(cli: Cli, { url, token }: DevBanner): void {
  const file = profilePath(cli.around.env);
  const { current = DEV_PROFILE, profiles } = readProfiles(file);
  const tenant = profiles[DEV_PROFILE]?.tenant ?? 'demo';
  const admin = token ?? cli.around.env.ADMIN_TOKEN;
  const profile = { url, tenant, ...(admin === undefined ? {} : { token: admin }) };
  writeProfiles(file, { current, profiles: { ...profiles, [DEV_PROFILE]: profile } });
  const how = current === DEV_PROFILE ? 'streamforge' : `streamforge --profile ${DEV_PROFILE}`;
  cli.out.note(`In another terminal: ${how} send --type sale.completed --subject order-1 --payload '{"amount":10.10}'`);
  cli.out.note(`                     ${how} tail`);
}

function openBrowser(url: string): void {
  const command = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(command, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined); // no browser here: the link was printed
  child.unref();
}
