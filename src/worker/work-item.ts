import type { Span } from '@opentelemetry/api';
import type { ReceivedMessage } from '../broker/broker';
import type { EventProgress } from '../event-state/open-attempts.queries';
import type { DispatchedEvent } from '../event/dispatched-event';
import type { ExternalHandler, UnfinishedResult } from './handler';
import { moreSevere } from './settle/retry-policy';

/** In place of a handler's name: the worker itself gave the event up, and runs no handler for it. */
export const WORKER = '';

/**
 * One message in the worker's hands, from its arrival until it is acked or given back. Nothing changes it: every step
 * returns a copy with what it found out.
 */
export interface WorkItem {
  readonly message: ReceivedMessage;
  readonly event: DispatchedEvent;
  /** Undefined when the event's trace is not sampled. */
  readonly span: Span | undefined;
  /** External handlers that have work for the event. */
  readonly handlers: readonly ExternalHandler[];
  /** Set where `handlers` is not empty. */
  readonly progress: EventProgress | undefined;
  /** External handlers that this attempt has finished. */
  readonly done: readonly string[];
  /** Results of the handlers that have not finished the event, by name or under WORKER. */
  readonly unfinished: ReadonlyMap<string, UnfinishedResult>;
  /** How long the external handlers took. */
  readonly externalMs: number;
  /** The poison detector has counted a start of the event; settling it clears the count. */
  readonly startCounted: boolean;
}

const NONE: readonly never[] = [];
const NO_RESULTS: ReadonlyMap<string, UnfinishedResult> = new Map();

export function workItem(message: ReceivedMessage, event: DispatchedEvent, span?: Span): WorkItem {
  return {
    message,
    event,
    span,
    handlers: NONE,
    progress: undefined,
    done: NONE,
    unfinished: NO_RESULTS,
    externalMs: 0,
    startCounted: false,
  };
}

export const withResult = (item: WorkItem, handler: string, result: UnfinishedResult): WorkItem => ({
  ...item,
  unfinished: new Map(item.unfinished).set(handler, result),
});

/** The most severe of the results; undefined when the event is completed. */
export function unfinishedResultOf({ unfinished }: WorkItem): UnfinishedResult | undefined {
  return unfinished.size === 0 ? undefined : [...unfinished.values()].reduce(moreSevere);
}

/** False when the worker gave the event up, or an external handler could not begin: then no attempt is made. */
export function runsHandlers(item: WorkItem): boolean {
  if (item.unfinished.size === 0) return true;
  return !item.unfinished.has(WORKER) && unfinishedResultOf(item)?.kind !== 'postpone';
}

export const eventsOf = (items: readonly WorkItem[]): DispatchedEvent[] => items.map(({ event }) => event);
export const messagesOf = (items: readonly WorkItem[]): ReceivedMessage[] => items.map(({ message }) => message);

/** A batch may hold an event twice; of two dispatches only the newer one counts (I11). */
export function newestOfEach(items: readonly WorkItem[]): readonly WorkItem[] {
  const newest = new Map<string, WorkItem>();
  for (const item of items) {
    const other = newest.get(item.event.id);
    if (!other || other.event.dispatchNo < item.event.dispatchNo) newest.set(item.event.id, item);
  }
  return newest.size === items.length ? items : [...newest.values()];
}
