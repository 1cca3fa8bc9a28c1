import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import { eventually } from '../eventually';
import { ADMIN_TOKEN, NO_ADMIN_LIMIT, NO_OPERATOR_EVENTS } from '../app';

const ROOT = path.resolve(__dirname, '../../..');

/** A real StreamForge process, from dist. */
export interface TestProcess {
  url: string;
  child: ChildProcess;
  output: () => string;
  /** Sends the signal. Resolves with the exit code, or null when the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts a process and does not wait until it is ready.
 * @param stdout a file descriptor; `output` then has only what goes to stderr
 */
export function spawnProcess(
  env: Record<string, string>,
  root = ROOT,
  stdout: 'pipe' | number = 'pipe',
): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, ['--enable-source-maps', path.join(root, 'dist/src/main.js')], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      LOG_LEVEL: 'warn',
      PORT: '0',
      ADMIN_TOKEN,
      SHUTDOWN_DRAIN_MS: '0', // no load balancer has to notice
      ...NO_ADMIN_LIMIT,
      ...NO_OPERATOR_EVENTS,
      ...env,
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

/** Starts a process and waits for its banner, which contains the address. `root` is the checkout whose dist runs. */
export async function startProcess(env: Record<string, string>, root = ROOT): Promise<TestProcess> {
  const { child, output } = spawnProcess(env, root);
  const url = await eventually(() => {
    const address = /address\s+(http:\S+)/.exec(output())?.[1];
    if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode}:\n${output()}`);
    if (!address) throw new Error(`no banner yet:\n${output()}`);
    return address;
  }, 60_000);
  return { url, child, output, end: (signal) => endProcess(child, signal) };
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exited;
}

/** Starts bare-worker.js and does not wait for it. */
export function spawnBareWorker(env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [path.join(__dirname, 'bare-worker.js')], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: 'test', ADMIN_TOKEN, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
