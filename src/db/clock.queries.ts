import type { ClockReading } from '../event/time-of-day';
import { elapsedMs } from '../event/elapsed-time';
import type { Db } from './pool';

/** Looks at PostgreSQL's clock. */
export async function readClock(db: Db): Promise<ClockReading> {
  const beforeMs = Date.now();
  const startedMs = elapsedMs();
  const { rows } = await db.query<{ atMs: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as "atMs"',
  );
  const doubtMs = (elapsedMs() - startedMs) / 2;
  const { atMs } = rows[0] as { atMs: number };
  return { atMs, ownMs: beforeMs + doubtMs, sinceMs: startedMs + doubtMs, doubtMs };
}
