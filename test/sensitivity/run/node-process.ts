import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { ProcessTree } from '../../support/processes/process-tree';

const MOST_OUTPUT_READ = 4 * 1024 * 1024;

interface Options {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Gets what the process prints. A process that it leaves behind cannot keep us waiting, as it could with a pipe. */
  outputFile: string;
  withinMs: number;
  signal: AbortSignal;
}

/** Runs Node.js. @throws if it does not end in time, and kills it with all its descendants then */
export async function runNode(
  args: readonly string[],
  { cwd, env, outputFile, withinMs, signal }: Options,
): Promise<{ status: number | null; output: string }> {
  signal.throwIfAborted();
  const output = fs.openSync(outputFile, 'w');
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', output, output] });
  fs.closeSync(output);
  let ending: Promise<void> | undefined;
  const end = (): void => {
    if (ending || child.pid === undefined) return;
    ending = new ProcessTree(child.pid).kill();
    ending.catch(() => undefined); // thrown below
  };
  const deadline = setTimeout(end, withinMs);
  signal.addEventListener('abort', end);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('exit', resolve);
    });
    await ending;
    signal.throwIfAborted();
    if (ending) throw new Error(`no end within ${withinMs / 1000} s:\n${tailOf(outputFile)}`);
    return { status, output: tailOf(outputFile) };
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', end);
  }
}

function tailOf(file: string): string {
  const { size } = fs.statSync(file);
  const length = Math.min(size, MOST_OUTPUT_READ);
  const bytes = Buffer.alloc(length);
  const descriptor = fs.openSync(file, 'r');
  try {
    fs.readSync(descriptor, bytes, 0, length, size - length);
  } finally {
    fs.closeSync(descriptor);
  }
  return bytes.toString();
}
