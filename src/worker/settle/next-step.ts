import type { PgFailure } from '../../db/pg-errors';

/** Deadlocks and failed serialisations are repeated this often before they count as a failure of the events. */
export const MOST_REPEATS = 3;

/** How a pass over a batch runs its transactional handlers: one call each, or in parts, to find the events that fail. */
export type Mode = 'together' | 'isolating';

/** A pass that did not commit. */
export type Uncommitted =
  /** It learned results of events, or events were dispatched again or settled by others: the next pass takes that in. */
  | { kind: 'rolled-back' }
  | {
      kind: 'failed';
      /** A handler threw, as opposed to a statement of ours. */
      byHandler: boolean;
      failure: PgFailure;
      /** The handler exceeded its timeout. */
      timedOut: boolean;
      /** The only event of the batch has a result of this handler already. */
      known: boolean;
    };

/** What was tried with a batch so far. */
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
  /** The failure becomes the result of the only event; then another pass. */
  | { kind: 'fail-one' }
  /** Each event in a batch of its own. */
  | { kind: 'one-by-one' }
  | { kind: 'give-up' };

/** What to do after a pass that did not commit. */
export function nextStep(pass: Uncommitted, tried: Tried): NextStep {
  if (pass.kind === 'rolled-back') {
    // Each such pass learns of one more event at least, or finds one more settled by others.
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
  // A handler may have swallowed the error of a statement, which its savepoint shows.
  if (!isolating && !timedOut) return { kind: 'pass', tried: { ...tried, mode: 'isolating' } };
  // What isolating cannot find: a handler that hangs, or a failure outside of all handlers. A single event that gets here
  // timed out on a connection that broke.
  return { kind: tried.events === 1 ? 'give-up' : 'one-by-one' };
}
