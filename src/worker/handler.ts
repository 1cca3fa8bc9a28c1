import type { Db } from '../db/pool';

/** An event as it arrives at a worker. */
export interface DeliveredEvent {
  id: string;
  tenantId: string;
  type: string;
  /** RFC 3339, UTC, milliseconds. */
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  /** Which dispatch of the event this is; a lower one never runs after a higher one is visible (I11). */
  dispatchNo: number;
  /** Raised by a replay that runs the handlers again. */
  generation: number;
  /** The normalised event as JSON. Parsing it rounds numbers beyond 2^53, so only who needs it does. */
  body: Buffer;
}

/**
 * Code for some event types whose effects are SQL. It runs inside the transaction that records the attempt, so its
 * effects happen exactly once per event and generation (I7). Throwing fails the events of the call, not the worker.
 */
export interface TransactionalHandler {
  /** Unique; appears in logs and audit. */
  readonly name: string;
  /** Exact types, or a prefix with `*` at its end; `*` alone takes every type. */
  readonly eventTypes: readonly string[];
  handle(events: readonly DeliveredEvent[], db: Db): Promise<void>;
}

/** Nest token of the list of handlers. */
export const HANDLERS = Symbol('Handlers');

export function takesType(handler: Pick<TransactionalHandler, 'eventTypes'>, type: string): boolean {
  return handler.eventTypes.some((pattern) =>
    pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern,
  );
}

/** @throws Error that names the handlers which share a name; a boot must not guess which one is meant. */
export function withUniqueNames(handlers: TransactionalHandler[]): TransactionalHandler[] {
  const names = handlers.map(({ name }) => name);
  const repeated = names.filter((name, i) => names.indexOf(name) !== i);
  if (repeated.length > 0)
    throw new Error(`Handlers must have unique names; more than one is called ${repeated.join(', ')}`);
  return handlers;
}
