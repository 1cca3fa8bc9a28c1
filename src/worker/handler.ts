import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import type { ReasonCode } from '../event/event-status';
import { matchesType } from '../event/type-pattern';

/** Partial effects of an unfinished event, e.g. `destination:<id>`. Up to 200 characters each. */
interface Partly {
  effects?: readonly string[];
}

/**
 * The results that a handler may return for one event.
 * - done: its work for this event is finished.
 * - retry: it may succeed later. It runs again after the longer of the backoff and `afterMs`, and uses an attempt.
 * - dead-letter: a retry cannot help, and the event waits for an operator.
 * - postpone: it could not start (circuit open, limit reached). It runs again after `afterMs` and uses no attempt.
 *
 * `message` is truncated, stored and shown to operators. Never put a secret or a payload in it.
 * If several handlers do not finish an event, the most severe result counts: dead-letter, then retry, then postpone.
 * Finished handlers and `effects` are recorded, so that the next attempt runs only the rest.
 */
export type HandlerResult = { kind: 'done' } | UnfinishedResult;
export type UnfinishedResult =
  | ({ kind: 'retry'; reasonCode: ReasonCode; message?: string; afterMs?: number } & Partly)
  | ({ kind: 'dead-letter'; reasonCode: ReasonCode; message?: string } & Partly)
  | ({ kind: 'postpone'; reasonCode: ReasonCode; message?: string; afterMs: number } & Partly);

interface AnyHandler {
  /** Unique, up to 200 characters, without a colon (partial effects have one). Appears in logs and handler_effects. */
  readonly name: string;
  /** Exact types, or prefixes that end with `*`; `*` alone matches every type. */
  readonly eventTypes: readonly string[];
  /**
   * `key`: events of its types run one at a time per tenant and partition key, in the order in which they were accepted, and
   * one that fails holds up those after it (docs/ordering.md).
   */
  readonly ordering?: 'key';
  /** What follows a dead letter of its types, if `ordering` is set. Default: `block`, until an operator retries or discards it. */
  readonly onPoison?: 'block' | 'skip';
}

export interface TransactionalCall {
  /** Runs in the transaction that records the attempts. Refuses statements once the call has ended. */
  db: Db;
  /** Aborted after `timeoutMs`. */
  signal: AbortSignal;
}

/**
 * A handler whose effects are SQL. It runs inside the transaction that records the attempts, once for all events of a
 * batch, so its effects happen exactly once per event and generation (I7).
 *
 * A call may be rolled back and repeated with fewer events, so it must have no effect except through `db`. If it
 * throws, it is called again with smaller and smaller parts, to find the events that make it fail. It may also return
 * results for unfinished events by event id; then it is rolled back and called again without them.
 */
export interface TransactionalHandler extends AnyHandler {
  readonly kind: 'transactional';
  /**
   * If true, runs only in the attempt that completes the event: after every other handler has finished it. If unset, it
   * runs in the first attempt, and its effects stay if another handler fails.
   */
  readonly onlyOnCompletion?: boolean;
  /**
   * True for the handlers that StreamForge itself brings. While PostgreSQL refuses their statements (a table is missing, or
   * a right), events wait and use no attempt. The same failure of any other handler is an attempt.
   */
  readonly isBuiltIn?: boolean;
  /** If unset, only PostgreSQL's statement_timeout applies. */
  readonly timeoutMs?: number;
  handle(
    events: readonly DispatchedEvent[],
    call: TransactionalCall,
  ): Promise<void | ReadonlyMap<string, UnfinishedResult>>;
}

export interface ExternalCall {
  /** Counted from 1, and from 1 again after an operator retries or replays the event. */
  attemptNumber: number;
  /** Aborted after `timeoutMs`, or when the grace period of a shutdown ends. */
  signal: AbortSignal;
  /** Effects of earlier attempts of this generation, as `effects` named them. */
  done: ReadonlySet<string>;
}

/**
 * A handler that calls other systems (HTTP). It runs outside any transaction, one event per call, with bounded
 * concurrency per handler and per tenant. A call happens at least once: a crash between the call and the commit repeats
 * it, so send the event's id as an idempotency key. classifyError (retry-policy.ts) turns a thrown error into a result.
 */
export interface ExternalHandler extends AnyHandler {
  readonly kind: 'external';
  /** After this time the call is aborted and results in a retry with reason TIMEOUT, even if it ignores the signal. */
  readonly timeoutMs: number;
  /**
   * Returns the events it has work for; the others count as done. Called once per batch before any handler runs, so it
   * must be cheap. If unset, it has work for every event of its types.
   */
  select?(events: readonly DispatchedEvent[]): readonly DispatchedEvent[] | Promise<readonly DispatchedEvent[]>;
  handle(event: DispatchedEvent, call: ExternalCall): Promise<HandlerResult>;
}

/** Handlers throw this for content that can never be processed. The event becomes a dead letter at once. */
export class InvalidPayloadError extends Error {
  override readonly name = 'InvalidPayloadError';
}

export type Handler = TransactionalHandler | ExternalHandler;

export const handlesType = (handler: Pick<Handler, 'eventTypes'>, type: string): boolean =>
  matchesType(handler.eventTypes, type);

/** Whether one of the handlers takes events of the type in order. */
export const isTakenInOrder = (handlers: readonly Pick<Handler, 'eventTypes' | 'ordering'>[], type: string): boolean =>
  handlers.some((handler) => handler.ordering === 'key' && handlesType(handler, type));

/** @throws Error if two handlers have the same name, because effects are recorded by handler name */
export function withUniqueNames<H extends Pick<Handler, 'name'>>(handlers: readonly H[]): readonly H[] {
  const names = handlers.map(({ name }) => name);
  const repeated = names.filter((name, i) => names.indexOf(name) !== i);
  if (repeated.length > 0)
    throw new Error(`Handlers must have unique names. Used more than once: ${repeated.join(', ')}`);
  return handlers;
}
