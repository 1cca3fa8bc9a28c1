import type { Answer } from './arrivals';

/** A receiver that takes `perSecond` requests, with some at a time, and answers 429 to the others. */
export function tokenBucket(
  perSecond: number,
  { retryAfter, atOnce }: { retryAfter: boolean; atOnce: number },
): (nowMs: number) => Answer {
  let tokens = atOnce;
  let atMs: number | undefined;
  return (nowMs) => {
    tokens = Math.min(atOnce, tokens + ((nowMs - (atMs ?? nowMs)) * perSecond) / 1_000);
    atMs = nowMs;
    if (tokens >= 1) {
      tokens -= 1;
      return { status: 204 };
    }
    const seconds = Math.ceil((1 - tokens) / perSecond);
    return { status: 429, ...(retryAfter ? { headers: { 'retry-after': String(seconds) } } : {}) };
  };
}

/** Refuses a share of the requests at random, whatever `answer` says. */
export function sometimesBusy(
  share: number,
  answer: (nowMs: number) => Answer,
  random: () => number,
): (nowMs: number) => Answer {
  return (nowMs) => (random() < share ? { status: 429, headers: { 'retry-after': '1' } } : answer(nowMs));
}
