import type { Db } from './pool';

/**
 * Returns by how many ms the clock of this process is at least ahead of PostgreSQL's; less than 0 if it is behind. The
 * time of the round trip is in doubt and is left out.
 */
export async function clockAheadMs(db: Db): Promise<number> {
  const beforeMs = Date.now();
  const startedMs = performance.now();
  const { rows } = await db.query<{ atMs: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as "atMs"',
  );
  const doubtMs = (performance.now() - startedMs) / 2;
  const aheadMs = beforeMs + doubtMs - (rows[0] as { atMs: number }).atMs;
  return Math.sign(aheadMs) * Math.max(0, Math.abs(aheadMs) - doubtMs);
}

/** A smaller difference has no effect that anybody would notice. */
const MOST_DIFFERENCE_MS = 1_000;

/** Says what is wrong with such a difference; undefined if nothing is. */
export function clockFault(aheadMs: number): string | undefined {
  if (Math.abs(aheadMs) <= MOST_DIFFERENCE_MS) return undefined;
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  return `the clock of this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} PostgreSQL's: run NTP on both.`;
}
