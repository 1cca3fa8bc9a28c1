import * as fs from 'node:fs';
import { eventually } from '../eventually';

/** What a test can do to a server or a StreamForge process. */
export interface Killable {
  /** Ends it at once. Its connections break and new ones are refused. */
  kill(): Promise<void>;
  /** Starts it after `kill`, on the same port and files. Resolves when it is up. */
  startAgain(): Promise<void>;
  /** Makes it hang: connections stay open and the kernel accepts new ones, but nothing responds. */
  freeze(): void;
  thaw(): void;
}

/** Returns false for a zombie too: in some containers no process waits for orphans. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return !hasEnded(error);
  }
  return statOf(pid)?.[0] !== 'Z';
}

/** Returns the resident memory of the process. */
export function residentMegabytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** A process and all its descendants that still exist. */
export class ProcessTree {
  readonly root: number;

  constructor(root: number) {
    this.root = root;
  }

  freeze(): void {
    signalOne(this.root, 'SIGSTOP'); // first, so that it starts no more processes
    this.signalAll('SIGSTOP');
  }

  thaw(): void {
    this.signalAll('SIGCONT');
  }

  /** Kills all processes at once, like a power cut. Resolves when none of them runs. */
  async kill(): Promise<void> {
    this.freeze();
    const pids = this.pids();
    for (const pid of pids) signalOne(pid, 'SIGKILL');
    await eventually(() => {
      const left = pids.filter(isRunning);
      if (left.length > 0) throw new Error(`${left.join(', ')} still run`);
    });
  }

  private signalAll(signal: NodeJS.Signals): void {
    for (const pid of this.pids()) signalOne(pid, signal);
  }

  /** Returns the root first, and parents before their children. */
  private pids(): number[] {
    const parents = new Map<number, number>();
    for (const pid of fs.readdirSync('/proc').map(Number)) {
      const parent = pid > 0 ? statOf(pid)?.[1] : undefined;
      if (parent !== undefined) parents.set(pid, Number(parent));
    }
    const found = [this.root];
    for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
    return found;
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasEnded(error)) throw error;
  }
}

/** Returns what follows the name in /proc/{pid}/stat: state, parent and so on. Undefined when there is no such file. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (hasEnded(error)) return undefined;
    throw error;
  }
}

/** Recognises the errors for a process that has ended: ESRCH from a signal or a read, ENOENT from an open. */
const hasEnded = (error: unknown): boolean => ['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
