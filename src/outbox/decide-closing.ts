import type { PublishOutcome } from '../broker/broker';

/** How a claimed entry is closed or released after its publish. */
export type Closing =
  | { kind: 'publish' }
  | { kind: 'release'; reason: string; waitSeconds: number; unroutable: boolean }
  | { kind: 'fail'; reason: string };

/** Publishes of an entry that finds no queue. The broker adapter declares the queues again in between. */
const UNROUTABLE_TRIES = 3;
/** Longer than the adapter waits before it declares the queues. */
const UNROUTABLE_WAIT_SECONDS = 2;
const REFUSED_WAIT_SECONDS = 1;

/**
 * I9: an entry becomes FAILED or uses an attempt only if the entry itself is the cause, never because the broker is
 * down, full or silent. `attempts` counts the earlier publishes that were unroutable.
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
        : {
            kind: 'fail',
            reason: `unroutable ${UNROUTABLE_TRIES} times, although the queues were declared again in between`,
          };
    case 'refused':
      return release('the broker could not accept it at that time', REFUSED_WAIT_SECONDS);
    case 'channel-broken':
      return release('the channel failed on this entry or on one published with it', 0);
    case 'unconfirmed':
      return release('the broker did not confirm it in time', 0);
  }
}

const release = (reason: string, waitSeconds: number): Closing => ({
  kind: 'release',
  reason,
  waitSeconds,
  unroutable: false,
});
