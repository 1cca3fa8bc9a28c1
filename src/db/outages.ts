import { Logger } from '@nestjs/common';
import { Problem } from '../event/problems';
import { lineSafe } from '../observability/log-format';
import { RareLog } from '../observability/rare-log';
import type { FailureClass } from './failure-classes';
import { errorCode, failureClassOf, isWorthWaitingFor } from './pg-errors';

/** How long /ready speaks of a failed statement. Loops that go on failing report it every second. */
const RECENT_MS = 15_000;

interface Seen {
  log: RareLog;
  atMs: number;
}

/** Of this process, by class: at most one for each row of the table. */
const seen = new Map<FailureClass, Seen>();
const logger = new Logger('Postgres');

/**
 * Logs a failed statement if PostgreSQL cannot do its work: one line a minute for each class of failures, whoever met
 * them. Returns false, and logs nothing, for any other error.
 */
export function reportOutage(error: unknown): boolean {
  const found = failureClassOf(error);
  if (found?.failure !== 'unavailable') return false;
  const entry = seen.get(found) ?? { log: new RareLog(), atMs: 0 };
  seen.set(found, entry);
  entry.atMs = performance.now();
  const details = { class: found.name, code: errorCode(error), reason: lineSafe((error as Error).message) };
  entry.log.log((count) => logger.error({ msg: `PostgreSQL ${found.says}`, ...details, count }));
  return true;
}

/** What a log line about a failure says of its cause: nothing of an outage, which has a line of its own. */
export function loggedCause(error: unknown): { err?: unknown } {
  return reportOutage(error) ? {} : { err: error };
}

/** Returns the gravest of the recent failures that /ready does not find by itself. */
export function recentOutage(nowMs = performance.now()): FailureClass | undefined {
  const recent = [...seen].filter(([{ readiness }, { atMs }]) => readiness && nowMs - atMs < RECENT_MS);
  const [first] = recent.find(([{ readiness }]) => readiness === 'not-ready') ?? recent[0] ?? [];
  return first;
}

/**
 * Returns the problem of a request whose statement failed, or undefined where the statement itself is at fault. Logs the
 * failure as reportOutage does.
 */
export function storageProblem(error: unknown, detail: string): Problem | undefined {
  if (!isWorthWaitingFor(error)) return undefined;
  reportOutage(error);
  return new Problem('storage-unavailable', detail, { retryAfterSeconds: 2 });
}
