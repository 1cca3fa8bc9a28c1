import type { PublishOutcome } from '../broker/broker';

/** What is written about a claimed entry after its publish. */
export type Closing =
  | { kind: 'publish' }
  | { kind: 'release'; reason: string; waitSeconds: number; unroutable: boolean }
  | { kind: 'fail'; reason: string };

/** How often the broker may send an entry back for want of a queue; the queues are declared again in between. */
const UNROUTABLE_TRIES = 3;
/** Longer than the adapter waits before it declares them. */
const UNROUTABLE_WAIT_SECONDS = 2;
const REFUSED_WAIT_SECONDS = 1;

/**
 * I9: only what is the entry's own fault makes it FAILED or counts against it; a broker that is down, full or silent
 * never does. `attempts` is how often it was unroutable before.
 */
export function decideClosing(outcome: PublishOutcome, attempts: number): Closing {
  if (typeof outcome === 'object') return { kind: 'fail', reason: outcome.rejected };
  switch (outcome) {
    case 'confirmed':
      return { kind: 'publish' };
    case 'unroutable':
      return attempts + 1 < UNROUTABLE_TRIES
        ? {
            kind: 'release',
            reason: 'the broker has no queue for it',
            waitSeconds: UNROUTABLE_WAIT_SECONDS,
            unroutable: true,
          }
        : { kind: 'fail', reason: `unroutable ${UNROUTABLE_TRIES} times, though the queues were declared in between` };
    case 'refused':
      return release('the broker could not take it now', REFUSED_WAIT_SECONDS);
    case 'suspect':
      return release('the channel broke over it or a neighbour', 0);
    case 'unconfirmed':
      return release('the broker did not answer', 0);
  }
}

const release = (reason: string, waitSeconds: number): Closing => ({
  kind: 'release',
  reason,
  waitSeconds,
  unroutable: false,
});
