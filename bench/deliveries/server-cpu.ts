import { readdirSync, readFileSync } from 'node:fs';
import { type Client } from 'pg';

const CLOCK_TICKS_PER_SECOND = 100;

interface ProcessTimes {
  parent: number;
  /** Own time. */
  ownUs: number;
  /** Own time and that of children that have ended. */
  withEndedUs: number;
}

function timesOf(pid: number): ProcessTimes | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // no such process, or no /proc
  }
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const microseconds = (...indexes: number[]): number =>
    indexes.reduce((sum, i) => sum + ((fields[i] ?? 0) / CLOCK_TICKS_PER_SECOND) * 1e6, 0);
  return { parent: fields[1] ?? 0, ownUs: microseconds(11, 12), withEndedUs: microseconds(11, 12, 13, 14) };
}

/** CPU time in µs of all processes of the PostgreSQL server so far; NaN if it runs on another machine. */
export async function serverCpuUs(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postmaster = timesOf(rows[0]?.pid ?? 0)?.parent;
  if (postmaster === undefined) return Number.NaN;
  const children = readdirSync('/proc')
    .map(Number)
    .flatMap((pid) => (pid > 0 ? (timesOf(pid) ?? []) : []))
    .filter(({ parent }) => parent === postmaster);
  return children.reduce((sum, { ownUs }) => sum + ownUs, timesOf(postmaster)?.withEndedUs ?? Number.NaN);
}

/** CPU time in µs of all threads of a process, which is finer than that of /proc/…/stat; NaN without /proc. */
export function preciseCpuUs(pid: number | undefined): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, one) => sum + one, 0) / 1_000;
  } catch {
    return Number.NaN; // the process or a thread has ended
  }
}

/** CPU time of the sessions of one database. Needs to be read more often than sessions end. */
export class SessionsCpu {
  private readonly client: Client;
  private readonly database: string;
  private readonly seenUs = new Map<number, number>();
  private totalUs = 0;

  constructor(client: Client, databaseUrl: string) {
    this.client = client;
    this.database = new URL(databaseUrl).pathname.slice(1);
  }

  /** Returns the time since the first call in µs. */
  async read(): Promise<number> {
    const isFirst = this.seenUs.size === 0;
    const { rows } = await this.client.query<{ pid: number }>(
      `select pid from pg_stat_activity
        where datname = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()`,
      [this.database],
    );
    for (const { pid } of rows) {
      const nowUs = preciseCpuUs(pid);
      if (Number.isNaN(nowUs)) continue;
      this.totalUs += isFirst ? 0 : nowUs - (this.seenUs.get(pid) ?? 0);
      this.seenUs.set(pid, nowUs);
    }
    return this.totalUs;
  }
}
