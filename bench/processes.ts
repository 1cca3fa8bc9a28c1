import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ServerProcess {
  url: string;
  child: ChildProcess;
  stop(): Promise<void>;
}

const CLOCK_TICKS_PER_SECOND = 100;
const TREE = fileURLToPath(new URL('../', import.meta.url));
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill()));

/** Starts a Node process and waits until it has printed its address. Every side gets the flags of `npm start`. */
export async function startServer(
  args: string[],
  env: Record<string, string>,
  flags = startFlags(TREE),
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [...flags, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  void exited.then(() => running.delete(child));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  let output = '';
  const url = await new Promise<string>((found, reject) => {
    child.once('exit', () => reject(new Error(`${args.join(' ')} did not start:\n${output}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
      const address = /address\s+(http:\S+)/.exec(output)?.[1];
      if (address) found(address);
    });
  });
  return { url, child, stop };
}

/** User and system time of a process in µs; undefined without /proc. */
export function cpuMicroseconds(pid: number | undefined): number | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the command name may contain spaces
  return ((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND) * 1e6;
}

/** The Node flags with which `npm start` runs the StreamForge in a directory. */
export function startFlags(directory: string): string[] {
  const packageJson = readFileSync(join(directory, 'package.json'), 'utf8');
  const { scripts } = JSON.parse(packageJson) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}
