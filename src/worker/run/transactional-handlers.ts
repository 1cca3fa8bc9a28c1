import { STATEMENT_TIMEOUT } from '../../db/session/session-needs';
import type { PoolClient } from 'pg';
import { classifyPgError, isCancelled } from '../../db/pg-errors';
import type { Db } from '../../db/pool';
import { handlesType, type TransactionalHandler, type UnfinishedResult } from '../handler';
import { classifyError, postponeTenant } from '../settle/retry-policy';
import { eventsOf, runsHandlers, WORKER, withResult, type WorkItem } from '../work-item';
import { HandlerTimeout, withinTimeout } from './handler-timeout';
import { Isolation } from './isolation';

/** statement_timeout exceeds the handler's timeout by this much, so that the handler's timeout is reported. */
const STATEMENT_MARGIN_MS = 200;

/** A handler threw while our connection was usable. The handler has failed, even if the error has a PostgreSQL code. */
export class HandlerFailure extends Error {
  /** The items, with the results found before the failure. */
  learned: readonly WorkItem[] = [];

  constructor(
    readonly handler: string,
    override readonly cause: unknown,
  ) {
    super(`handler ${handler} failed`, { cause });
  }
}

/** Results of the unfinished events of a call, by event id. */
type Results = ReadonlyMap<string, UnfinishedResult>;
const NO_RESULTS: Results = new Map();
/** Handlers that earlier attempts have finished, by event id. */
type DoneBefore = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Runs the transactional handlers of a batch inside its settle transaction. Both modes return the same items if every
 * handler has finished. Otherwise they return items with new results. The effects of these events are already in this
 * transaction, so it must be rolled back.
 */
export class TransactionalHandlers {
  constructor(private readonly handlers: readonly TransactionalHandler[]) {}

  /**
   * The normal mode: one call per handler for all its events, without a savepoint.
   * @throws HandlerFailure if a handler threw; the events that made it fail are not known
   */
  async runTogether(db: PoolClient, items: readonly WorkItem[], doneBefore: DoneBefore): Promise<readonly WorkItem[]> {
    for (const handler of this.handlers) {
      const due = items.filter((item) => isDue(handler, item, doneBefore));
      if (due.length === 0) continue;
      try {
        const results = await call(handler, due, db);
        if (due.some(isIn(results))) return items.map(withResultsOf(handler, results));
      } catch (cause) {
        const isOfHandler = !isOutageOfOurs(handler, cause) && (await isConnectionUsable(db));
        throw isOfHandler ? new HandlerFailure(handler.name, cause) : cause;
      }
    }
    return items;
  }

  /**
   * Finds the events that make a handler fail. It calls the handler with smaller and smaller parts, each in a
   * savepoint: about 15 calls to find one event among 100. (Not measured against one transaction per event.)
   */
  async runIsolating(db: PoolClient, items: readonly WorkItem[], doneBefore: DoneBefore): Promise<readonly WorkItem[]> {
    const current = new Map(items.map((item) => [item.event.id, item]));
    const update = (item: WorkItem): unknown => current.set(item.event.id, item);
    const newest = ({ event }: WorkItem): WorkItem => current.get(event.id) as WorkItem;
    const isolation = new Isolation<WorkItem>(({ event }) => event.tenantId);
    const postponed = ({ event }: WorkItem): UnfinishedResult => postponeTenant(event.dispatchNo, Math.random());
    try {
      for (const handler of this.handlers) {
        const due = [...current.values()].filter((item) => isDue(handler, item, doneBefore));
        await isolation.find(due, {
          attempt: (part) => attempt(handler, part, db, update),
          markFailed: (item, error) => update(withResult(newest(item), handler.name, classifyError(error))),
          giveUp: (item) => update(withResult(newest(item), WORKER, postponed(item))),
        });
      }
    } catch (error) {
      if (error instanceof HandlerFailure) error.learned = [...current.values()];
      throw error;
    }
    const ran = [...current.values()];
    return ran.some((item, i) => item !== items[i]) ? ran : items;
  }

  /** Returns the names of the handlers that have finished this uncompleted item once the transaction commits. */
  namesDone({ event, unfinished }: WorkItem): string[] {
    return this.handlers
      .filter((h) => handlesType(h, event.type) && !h.onlyOnCompletion && !unfinished.has(h.name))
      .map(({ name }) => name);
  }
}

const isDue = (handler: TransactionalHandler, item: WorkItem, doneBefore: DoneBefore): boolean =>
  handlesType(handler, item.event.type) &&
  runsHandlers(item) &&
  !(handler.onlyOnCompletion && item.unfinished.size > 0) &&
  !item.unfinished.has(handler.name) &&
  !doneBefore.get(item.event.id)?.has(handler.name);

const isIn =
  (results: Results) =>
  ({ event }: WorkItem): boolean =>
    results.has(event.id);

const withResultsOf =
  ({ name }: TransactionalHandler, results: Results) =>
  (item: WorkItem): WorkItem => {
    const result = results.get(item.event.id);
    return result ? withResult(item, name, result) : item;
  };

/**
 * A table of ours that is missing, or a right on it, is no fault of an event. A handler's own SQL that fails in such a way
 * is one, or a wrong name in it would keep its events waiting for ever.
 */
const isOutageOfOurs = (handler: TransactionalHandler, error: unknown): boolean =>
  handler.isBuiltIn === true && classifyPgError(error) === 'unavailable' && !isCancelled(error);

/** Returns undefined on success. On failure, rolls back its savepoint and returns what the handler threw. */
async function attempt(
  handler: TransactionalHandler,
  part: readonly WorkItem[],
  db: PoolClient,
  update: (item: WorkItem) => unknown,
): Promise<unknown> {
  if (part.length === 0) return undefined;
  await db.query('savepoint part');
  let results: Results;
  try {
    results = await call(handler, part, db);
    if (!part.some(isIn(results))) {
      await db.query('release savepoint part'); // fails if the handler swallowed the error of a statement
      return undefined;
    }
  } catch (error) {
    if (isOutageOfOurs(handler, error)) throw error;
    if (error instanceof HandlerTimeout || classifyPgError(error) === 'transient') {
      throw (await isConnectionUsable(db)) ? new HandlerFailure(handler.name, error) : error;
    }
    await db.query('rollback to savepoint part'); // throws if PostgreSQL itself has failed
    return error ?? new Error('the handler threw an undefined value');
  }
  await db.query('rollback to savepoint part');
  for (const item of part.filter(isIn(results))) update(withResultsOf(handler, results)(item));
  const others = part.filter((item) => !isIn(results)(item));
  return attempt(handler, others, db, update);
}

/** Calls a handler within its timeout, and with a `db` that refuses statements once the call has ended. */
async function call(handler: TransactionalHandler, items: readonly WorkItem[], client: PoolClient): Promise<Results> {
  const { timeoutMs } = handler;
  const bound = bind(client);
  const aborter = new AbortController();
  const work = () => handler.handle(eventsOf(items), { db: bound.db, signal: aborter.signal });
  if (timeoutMs === undefined) return (await work().finally(bound.end)) ?? NO_RESULTS;
  // Ends the running statement as well; otherwise the rollback would wait for it.
  await client.query(`set local statement_timeout = ${Math.ceil(timeoutMs) + STATEMENT_MARGIN_MS}`);
  try {
    const results = await withinTimeout(timeoutMs, aborter, work());
    bound.end();
    await client.query(`set local statement_timeout = '${STATEMENT_TIMEOUT}'`);
    return results ?? NO_RESULTS;
  } finally {
    bound.end();
  }
}

/** Refuses late statements of a handler, which would run in another transaction. */
function bind(client: PoolClient): { db: Db; end: () => void } {
  let ended = false;
  const query = ((...args: Parameters<PoolClient['query']>) =>
    ended
      ? Promise.reject(new Error('The handler call has ended; its db accepts no more statements.'))
      : client.query(...args)) as Db['query'];
  return { db: { query }, end: () => (ended = true) };
}

/** Probes our own connection: an error with a PostgreSQL code may come from another database that the handler uses. */
async function isConnectionUsable(db: PoolClient): Promise<boolean> {
  try {
    await db.query('select');
    return true;
  } catch (error) {
    return classifyPgError(error) !== 'unavailable'; // "current transaction is aborted" comes from a usable connection
  }
}
