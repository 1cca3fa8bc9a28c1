import type { PoolClient } from 'pg';
import { classifyPgError } from '../../db/pg-errors';
import { isConnectionUsable } from './connection-usable';
import { handlesType, type TransactionalHandler } from '../handler';
import { callTransactional, HandlerTimeout } from './handler-call';
import { Isolation } from './isolation';
import { classifyError, postponeTenant } from '../settle/retry-policy';
import type { Settlement } from '../settle/settlement';

/** What a handler threw while PostgreSQL was there: the handler's failure, whatever code it carries. */
export class HandlerFailure extends Error {
  constructor(
    readonly handler: string,
    override readonly cause: unknown,
  ) {
    super(`handler ${handler} failed`, { cause });
  }
}

export interface Run {
  /** In the order in which events were accepted. */
  settlements: readonly Settlement[];
  /** Handlers that an earlier attempt has finished, by event id. */
  done: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Runs the transactional handlers of a batch inside its settle transaction. */
export class TransactionalHandlers {
  constructor(private readonly handlers: readonly TransactionalHandler[]) {}

  /**
   * All events of a handler in one call, without any savepoint: the normal way.
   * @returns true when events were blamed; then the transaction has effects of theirs, and must be rolled back.
   * @throws HandlerFailure when it is not known which events are to blame.
   */
  async runTogether(db: PoolClient, run: Run): Promise<boolean> {
    for (const handler of this.handlers) {
      const settlements = this.ofHandler(handler, run);
      if (settlements.length === 0) continue;
      try {
        if (blameResults(handler, settlements, await this.call(handler, settlements, db))) return true;
      } catch (cause) {
        throw (await isConnectionUsable(db)) ? new HandlerFailure(handler.name, cause) : cause;
      }
    }
    return false;
  }

  /**
   * Finds the events to blame by calling each handler with smaller and smaller parts, each call in a savepoint: for one
   * of a hundred some fifteen calls. (Its speed against a transaction per event was not measured.)
   * @returns true when events were blamed.
   */
  async runApart(db: PoolClient, run: Run): Promise<boolean> {
    const before = countBlames(run.settlements);
    const isolation = new Isolation<Settlement>(({ event }) => event.tenantId);
    for (const handler of this.handlers) {
      await isolation.find(this.ofHandler(handler, run), {
        attempt: (part) => this.attempt(handler, part, db),
        markFailed: (settlement, error) => settlement.markFailed(handler.name, classifyError(error)),
        giveUp: (settlement) => settlement.markFailed('', postponeTenant(settlement.event.dispatchNo, Math.random())),
      });
    }
    return countBlames(run.settlements) > before;
  }

  /** Names of what is done once the transaction commits. */
  namesDone(settlement: Settlement): string[] {
    const { event, unfinished } = settlement;
    return this.handlers.filter((h) => handlesType(h, event.type) && !unfinished.has(h.name)).map(({ name }) => name);
  }

  private ofHandler(handler: TransactionalHandler, { settlements, done }: Run): Settlement[] {
    return settlements.filter(
      (settlement) =>
        handlesType(handler, settlement.event.type) &&
        settlement.runsHandlers &&
        !settlement.unfinished.has(handler.name) &&
        !done.get(settlement.event.id)?.has(handler.name),
    );
  }

  private call(handler: TransactionalHandler, settlements: readonly Settlement[], db: PoolClient) {
    return callTransactional(
      handler,
      settlements.map(({ event }) => event),
      db,
    );
  }

  /** Undefined when the call went well; what it threw when its savepoint was rolled back. */
  private async attempt(handler: TransactionalHandler, part: readonly Settlement[], db: PoolClient): Promise<unknown> {
    if (part.length === 0) return undefined;
    await db.query('savepoint part');
    try {
      if (!blameResults(handler, part, await this.call(handler, part, db))) {
        await db.query('release savepoint part'); // fails if the handler swallowed the error of a statement
        return undefined;
      }
    } catch (error) {
      if (error instanceof HandlerTimeout || classifyPgError(error) === 'transient') {
        throw (await isConnectionUsable(db)) ? new HandlerFailure(handler.name, error) : error;
      }
      await db.query('rollback to savepoint part'); // throws when it was PostgreSQL that failed
      return error ?? new Error('it threw nothing');
    }
    await db.query('rollback to savepoint part');
    return this.attempt(
      handler,
      part.filter(({ unfinished }) => !unfinished.has(handler.name)),
      db,
    );
  }
}

const countBlames = (settlements: readonly Settlement[]): number =>
  settlements.reduce((sum, { unfinished }) => sum + unfinished.size, 0);

/** Notes the events that the handler says are not done. True when there is any. */
function blameResults(
  handler: TransactionalHandler,
  settlements: readonly Settlement[],
  results: Awaited<ReturnType<TransactionalHandler['handle']>>,
): boolean {
  if (!results || results.size === 0) return false;
  let blamed = false;
  for (const settlement of settlements) {
    const result = results.get(settlement.event.id);
    if (!result) continue;
    settlement.markFailed(handler.name, result);
    blamed = true;
  }
  return blamed;
}
