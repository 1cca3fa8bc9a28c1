import { readFileSync } from 'node:fs';

/** Linux counts in ticks of this length for programs, whatever the kernel uses. */
const TICK_MS = 10;
/** Positions behind the name of the program, which is in brackets and may contain spaces. */
const [USER, SYSTEM] = [11, 12] as const;

/** Returns the CPU time of the main thread of a process in ms; undefined where the system does not tell. */
export function cpuMsOf(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // it has just ended, or /proc is not mounted
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MS;
}
