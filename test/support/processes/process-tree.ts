import * as fs from 'node:fs';
import { eventually } from '../eventually';

/** What a test can do to a server or to a StreamForge. */
export interface Killable {
  /** Ends it at once: connections break and new ones are refused. */
  kill(): Promise<void>;
  /** After `kill`, on the same port and files. Resolves when it is up. */
  startAgain(): Promise<void>;
  /** Connections stay open and the kernel takes new ones, but nothing responds: a machine that hangs. */
  freeze(): void;
  thaw(): void;
}

/** False also for a zombie: some containers have nobody who waits for an orphan. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return !hasEnded(error);
  }
  return statOf(pid)?.[0] !== 'Z';
}

/** How much memory the process really holds. */
export function residentMegabytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** A process with all that it started. What has ended meanwhile is left out. */
export class ProcessTree {
  constructor(readonly root: number) {}

  freeze(): void {
    signalOne(this.root, 'SIGSTOP'); // first, so that it starts no others meanwhile
    this.signalAll('SIGSTOP');
  }

  thaw(): void {
    this.signalAll('SIGCONT');
  }

  /** As a power cut would. Resolves when none of the processes runs. */
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

  /** The root first, parents before their children. */
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

/** What follows the name in /proc/pid/stat: state, parent and so on. Undefined without such a process, and without /proc. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (hasEnded(error)) return undefined;
    throw error;
  }
}

/** The errors about a process that ended a moment ago: ESRCH from a signal or a read, ENOENT from an open. */
const hasEnded = (error: unknown): boolean => ['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
