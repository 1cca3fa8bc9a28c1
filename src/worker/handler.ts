import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import type { ReasonCode } from '../event/event-status';
import { matchesType } from '../event/type-pattern';

/** Partial effects that are done although the event is not, e.g. `destination:<id>`. Up to 200 characters each. */
interface Partly {
  effects?: readonly string[];
}

/**
 * The results that a handler may return for one event.
 * - done: its work for this event is finished.
 * - retry: worth trying again, after the longer of the backoff and `afterMs`; it counts as an attempt.
 * - dead-letter: trying again cannot help; the event waits for a person.
 * - postpone: it could not begin (circuit open, limit reached). It comes back after `afterMs`, which is no attempt.
 *
 * `message` is for operators: it is stored, bounded, and shown. Never put a secret or a payload in it.
 * If several handlers of an event do not finish it, the most severe result counts: dead-letter, then retry, then postpone.
 * Handlers that were done, and `effects`, are remembered, so that the next attempt runs only what is missing.
 */
export type HandlerResult = { kind: 'done' } | UnfinishedResult;
export type UnfinishedResult =
  | ({ kind: 'retry'; reasonCode: ReasonCode; message?: string; afterMs?: number } & Partly)
  | ({ kind: 'dead-letter'; reasonCode: ReasonCode; message?: string } & Partly)
  | ({ kind: 'postpone'; reasonCode: ReasonCode; message?: string; afterMs: number } & Partly);

interface AnyHandler {
  /** Unique, up to 200 characters, without a colon (which partial effects have); appears in logs and handler_effects. */
  readonly name: string;
  /** Exact types, or a prefix with `*` at its end; `*` alone takes every type. */
  readonly eventTypes: readonly string[];
}

export interface TransactionalCall {
  /** Bound to the transaction that records the attempts; it refuses statements once the call has ended. */
  db: Db;
  /** Aborted when `timeoutMs` is over. */
  signal: AbortSignal;
}

/**
 * A handler whose effects are SQL. It runs inside the transaction that records the attempts, once for all events of a
 * batch, so its effects happen exactly once per event and generation (I7).
 *
 * The call may be rolled back and made again with fewer events, so it must have no effect except through `db`. When it
 * throws, it is called again with smaller and smaller parts, to find the events that make it fail. It can also return
 * results for the events that are not done, by event id: then it is rolled back and called again without them.
 */
export interface TransactionalHandler extends AnyHandler {
  readonly kind: 'transactional';
  /** Unset: only PostgreSQL's own statement_timeout ends it. */
  readonly timeoutMs?: number;
  handle(
    events: readonly DispatchedEvent[],
    call: TransactionalCall,
  ): Promise<void | ReadonlyMap<string, UnfinishedResult>>;
}

export interface ExternalCall {
  /** From 1, counted since the last action of a person. */
  attemptNumber: number;
  /** Aborted after `timeoutMs`, or when the worker shuts down and its grace is used up. */
  signal: AbortSignal;
  /** Effects of earlier attempts of this generation, as `effects` named them. */
  done: ReadonlySet<string>;
}

/**
 * A handler that talks to others (HTTP). It runs outside any transaction, one event a call, in bounded concurrency per
 * handler and per tenant. At least once: a crash after the call and before the commit repeats it, so send the event's id
 * as idempotency key. Throwing is a retry whose reason classifyError (retry-policy.ts) finds.
 */
export interface ExternalHandler extends AnyHandler {
  readonly kind: 'external';
  /** After this the call is aborted and counts as a retry with reason TIMEOUT, whether it obeys the signal or not. */
  readonly timeoutMs: number;
  /**
   * The events it has work for; the others count as done. Called once a batch, before anything runs, so it must be
   * cheap. Unset: it has work for every event of its types.
   */
  select?(events: readonly DispatchedEvent[]): readonly DispatchedEvent[] | Promise<readonly DispatchedEvent[]>;
  handle(event: DispatchedEvent, call: ExternalCall): Promise<HandlerResult>;
}

/** For handlers to throw: this content can never be processed, so the event is a dead letter at once. */
export class InvalidPayloadError extends Error {
  override readonly name = 'InvalidPayloadError';
}

export type Handler = TransactionalHandler | ExternalHandler;

export const handlesType = (handler: Pick<Handler, 'eventTypes'>, type: string): boolean =>
  matchesType(handler.eventTypes, type);

/** @throws Error that names the handlers with the same name: effects are remembered by name, so the boot fails. */
export function withUniqueNames<H extends Pick<Handler, 'name'>>(handlers: readonly H[]): readonly H[] {
  const names = handlers.map(({ name }) => name);
  const repeated = names.filter((name, i) => names.indexOf(name) !== i);
  if (repeated.length > 0)
    throw new Error(`Handlers must have unique names; more than one is called ${repeated.join(', ')}`);
  return handlers;
}
