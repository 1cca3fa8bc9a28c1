import type { PgFailure } from '../../db/failure-classes';

/** Repeats after a deadlock or a serialisation failure, before it counts as a failure of the events. */
export const MOST_REPEATS = 3;

/** How a pass runs its transactional handlers: in one call each, or in parts to find the events that fail. */
export type Mode = 'together' | 'isolating';

/** A pass that did not commit. */
export type Uncommitted =
  /** The pass found results of events, or others dispatched or settled events. The next pass considers this. */
  | { kind: 'rolled-back' }
  | {
      kind: 'failed';
      /** True if a handler threw, false if one of our own statements failed. */
      byHandler: boolean;
      failure: PgFailure;
      /** The handler exceeded its timeout. */
      timedOut: boolean;
      /** An event of the batch already has a result of this handler. */
      known: boolean;
    };

/** The passes over a batch so far. */
export interface Tried {
  events: number;
  mode: Mode;
  /** Passes that were rolled back. */
  rolledBack: number;
  /** Passes that were repeated after a transient failure. */
  repeats: number;
}

export type NextStep =
  /** Another pass over the whole batch. */
  | { kind: 'pass'; tried: Tried }
  /** Record the failure as the result of the only event, then make another pass. */
  | { kind: 'fail-one' }
  /** Settle each event in a batch of its own. */
  | { kind: 'one-by-one' }
  | { kind: 'give-up' };

/** Decides what follows a pass that did not commit. */
export function nextStep(pass: Uncommitted, tried: Tried): NextStep {
  if (pass.kind === 'rolled-back') {
    // Each such pass finds a result of at least one more event, or one more event that others have settled.
    const rolledBack = tried.rolledBack + 1;
    if (rolledBack > 2 * tried.events + MOST_REPEATS) return { kind: 'give-up' };
    return { kind: 'pass', tried: { ...tried, rolledBack, mode: 'together' } };
  }
  const { byHandler, failure, timedOut, known } = pass;
  if (!byHandler && failure === 'unavailable') return { kind: 'give-up' };
  if (failure === 'transient' && tried.repeats < MOST_REPEATS) {
    return { kind: 'pass', tried: { ...tried, repeats: tried.repeats + 1 } };
  }
  const isolating = tried.mode === 'isolating';
  if (tried.events === 1 && (byHandler || isolating)) return { kind: known ? 'give-up' : 'fail-one' };
  // No handler is known to have failed; one may have swallowed an SQL error. Savepoints will show which.
  if (!isolating && !timedOut) return { kind: 'pass', tried: { ...tried, mode: 'isolating' } };
  // Isolating cannot find a handler that hangs or a failure outside of all handlers. A single event only gets here if
  // its handler timed out and the connection broke.
  return { kind: tried.events === 1 ? 'give-up' : 'one-by-one' };
}
