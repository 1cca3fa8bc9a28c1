import { execFileSync } from 'node:child_process';
import { readIfThere } from './embedded-postgres-files';

export function isProcessRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Returns the fields of /proc/{pid}/stat that follow the command. They are missing where there is no /proc (macOS). */
function procStat(pid: number): string[] {
  const text = readIfThere(`/proc/${pid}/stat`) ?? '';
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function isZombie(pid: number): boolean {
  return procStat(pid)[0] === 'Z';
}

/** Returns the start time of a process, which tells it from a later process with the same pid; '-' without /proc. */
export function startTimeOf(pid: number): string {
  return procStat(pid)[19] ?? '-';
}

export function commandOf(pid: number): string {
  return (
    readIfThere(`/proc/${pid}/cmdline`) ??
    execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  );
}
