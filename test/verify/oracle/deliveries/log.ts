import type { StoredDelivery, StoredDeliveryAttempt } from '../../evidence/evidence';
import { DELIVERY_WAITS_SECONDS, RETRY_AFTER_SECONDS } from '../../landscape/settings';
import type { Finding } from './finding';

const MOST_TRIES = DELIVERY_WAITS_SECONDS.length + 1;
/** 1 minus RETRY_JITTER. */
const LEAST_SHARE = 0.8;
/** Reasons that end a delivery at once. */
const FINAL_REASONS = ['HTTP_3XX', 'HTTP_4XX'];
const RETRIED_REASONS = ['HTTP_429', 'HTTP_5XX', 'TIMEOUT', 'CONNECTION_FAILED', 'INVALID_RESPONSE'];
/** The receiver asks for fewer requests. That uses up a try only if nothing has succeeded for long. */
const SLOW_DOWN = 429;

/** I6, I9: the attempts of a delivery have no gaps, follow the retry schedule and explain the end of the delivery. */
export function checkLog(delivery: StoredDelivery): Finding[] {
  const { log, attempts, status } = delivery;
  const numbers = log.map(({ attemptNumber }) => attemptNumber);
  const isWhole = log.length === attempts && numbers.every((number, i) => number === i + 1);
  if (!isWhole) return [['attempts', `its attempts are ${numbers.join()}, and it counts ${attempts}`]];
  const last = log.at(-1);
  return [
    ...log.flatMap(checkReason),
    ...log.slice(0, -1).flatMap((attempt) => checkBeforeLast(attempt)),
    ...(status === 'DELIVERED' && !isSuccess(last)
      ? [['undelivered', `it ended with ${reasonOf(last)}`] as const]
      : []),
    ...(isSuccess(last) && status !== 'DELIVERED' ? [['attempts', `it is ${status} after a success`] as const] : []),
    ...(['FAILED', 'DISCARDED'].includes(status) ? checkFailed(delivery, last) : []),
    ...checkNewest(delivery, last),
    ...checkSchedule(delivery),
  ];
}

const isSuccess = (attempt: StoredDeliveryAttempt | undefined): boolean => attempt?.reasonCode === 'PROCESSED';
const isFinal = ({ reasonCode }: StoredDeliveryAttempt): boolean => FINAL_REASONS.includes(reasonCode);
const reasonOf = (attempt: StoredDeliveryAttempt | undefined): string => attempt?.reasonCode ?? 'no attempt';

function checkReason({ attemptNumber, reasonCode, statusCode }: StoredDeliveryAttempt): Finding[] {
  const expected = reasonsOf(statusCode);
  if (expected.includes(reasonCode)) return [];
  const text = `attempt ${attemptNumber} was answered ${statusCode ?? 'nothing'}, and recorded as ${reasonCode}`;
  return [['failed by an outage', text]];
}

function reasonsOf(statusCode: number | null): readonly string[] {
  if (statusCode === null) return ['TIMEOUT', 'CONNECTION_FAILED', 'INVALID_RESPONSE'];
  if (statusCode >= 200 && statusCode < 300) return ['PROCESSED'];
  if (statusCode === SLOW_DOWN) return ['HTTP_429'];
  return statusCode < 500 ? ['HTTP_4XX'] : ['HTTP_5XX'];
}

function checkBeforeLast(attempt: StoredDeliveryAttempt): Finding[] {
  return isSuccess(attempt)
    ? [['repeated', `it was tried again after attempt ${attempt.attemptNumber}, a success`]]
    : [];
}

/** A delivery that its last attempt has settled shows the reason of that attempt. */
function checkNewest({ status, reasonCode }: StoredDelivery, last: StoredDeliveryAttempt | undefined): Finding[] {
  if (!last || !['DELIVERED', 'FAILED'].includes(status) || reasonCode === last.reasonCode) return [];
  return [['attempts', `it shows ${reasonCode}, and its last attempt ended with ${last.reasonCode}`]];
}

/** A delivery fails because the receiver refuses it, or when the schedule is used up. */
function checkFailed({ exhausted, tries }: StoredDelivery, last: StoredDeliveryAttempt | undefined): Finding[] {
  if (exhausted && tries !== MOST_TRIES) return [['failed by an outage', `it was given up after ${tries} tries`]];
  if (!exhausted && !(last && isFinal(last))) return [['failed by an outage', `it failed after ${reasonOf(last)}`]];
  return [];
}

/** Each wait is that of the schedule or of Retry-After, and each attempt uses up one try. An operator may open a failed delivery again. */
function checkSchedule({ log, tries, status, reasonCode }: StoredDelivery): Finding[] {
  const found: Finding[] = [];
  let used = { least: 0, most: 0 };
  for (const [i, attempt] of log.entries()) {
    const before = log[i - 1];
    if (before && !RETRIED_REASONS.includes(before.reasonCode)) used = { least: 0, most: 0 };
    else if (before) {
      const waited = attempt.atMs - before.atMs;
      const scheduled = LEAST_SHARE * (DELIVERY_WAITS_SECONDS[Math.max(0, used.least - 1)] ?? 0);
      const least = 1_000 * (before.statusCode === SLOW_DOWN ? Math.max(scheduled, RETRY_AFTER_SECONDS) : scheduled);
      if (waited < least) {
        const text = `attempt ${attempt.attemptNumber} came ${Math.round(waited)} ms after the one before it`;
        found.push(['attempts', `${text}, before its wait had passed`]);
      }
    }
    used = { least: used.least + (attempt.statusCode === SLOW_DOWN ? 0 : 1), most: used.most + 1 };
  }
  const last = log.at(-1);
  // It was opened again, and closed with its destination before the next attempt.
  if (status === 'SKIPPED' && last && isFinal(last)) used = { least: 0, most: 0 };
  const isErased = reasonCode === 'ERASED'; // perhaps after it was opened again
  if (log.length > 0 && status !== 'OPEN' && !isErased && (tries < used.least || tries > used.most)) {
    found.push(['attempts', `it counts ${tries} tries, and ${used.least} to ${used.most} attempts used up a try`]);
  }
  return found;
}
