import type { Span } from '@opentelemetry/api';
import type { ReceivedMessage } from '../broker/broker';
import type { EventProgress } from '../event-state/open-attempts.queries';
import type { DispatchedEvent } from '../event/dispatched-event';
import type { ExternalHandler, UnfinishedResult } from './handler';
import { moreSevere } from './settle/retry-policy';

/** Used instead of a handler name if the worker itself gave up the event and runs no handler for it. */
export const WORKER = '';

/**
 * One message in a worker, from its arrival until it is acked or requeued. It is immutable: every step returns a copy
 * with its findings.
 */
export interface WorkItem {
  readonly message: ReceivedMessage;
  readonly event: DispatchedEvent;
  /**
   * The history of the database in which the event is known to be stored. Only a transaction in that history may settle
   * it. Undefined where that is checked by nobody, as in tests of single steps.
   */
  readonly history: string | undefined;
  /** Undefined if the event's trace is not sampled. */
  readonly span: Span | undefined;
  /** External handlers that have work for the event. */
  readonly handlers: readonly ExternalHandler[];
  /** Set if `handlers` is not empty. */
  readonly progress: EventProgress | undefined;
  /** External handlers that this attempt has finished. */
  readonly done: readonly string[];
  /** Results of the handlers that have not finished the event, keyed by handler name or WORKER. */
  readonly unfinished: ReadonlyMap<string, UnfinishedResult>;
  /** Duration of the external handlers. */
  readonly externalMs: number;
  /** True if crash_trials may have a row of the event. Settling deletes the row. */
  readonly marked: boolean;
  /** True if this worker has counted a start of the event, which is uncounted if the event is given back. */
  readonly startCounted: boolean;
}

const NONE: readonly never[] = [];
const NO_RESULTS: ReadonlyMap<string, UnfinishedResult> = new Map();

export function workItem(message: ReceivedMessage, event: DispatchedEvent, span?: Span, history?: string): WorkItem {
  return {
    message,
    event,
    history,
    span,
    handlers: NONE,
    progress: undefined,
    done: NONE,
    unfinished: NO_RESULTS,
    externalMs: 0,
    marked: false,
    startCounted: false,
  };
}

/** False if the database is in another history than the items. Then it may have forgotten their events. */
export const areOf = (history: string, items: readonly WorkItem[]): boolean =>
  items.every((item) => item.history === undefined || item.history === history);

export const withResult = (item: WorkItem, handler: string, result: UnfinishedResult): WorkItem => ({
  ...item,
  unfinished: new Map(item.unfinished).set(handler, result),
});

/** Returns the most severe of the results, or undefined if the event is completed. */
export function unfinishedResultOf({ unfinished }: WorkItem): UnfinishedResult | undefined {
  return unfinished.size === 0 ? undefined : [...unfinished.values()].reduce(moreSevere);
}

/** False if the worker gave up the event or its result is a postponement: then no transactional handler runs. */
export function runsHandlers(item: WorkItem): boolean {
  if (item.unfinished.size === 0) return true;
  return !item.unfinished.has(WORKER) && unfinishedResultOf(item)?.kind !== 'postpone';
}

export const eventsOf = (items: readonly WorkItem[]): DispatchedEvent[] => items.map(({ event }) => event);
export const messagesOf = (items: readonly WorkItem[]): ReceivedMessage[] => items.map(({ message }) => message);

/** Keeps only the newest dispatch of each event. A batch may contain several (I11). */
export function newestOfEach(items: readonly WorkItem[]): readonly WorkItem[] {
  const newest = new Map<string, WorkItem>();
  for (const item of items) {
    const other = newest.get(item.event.id);
    if (!other || other.event.dispatchNo < item.event.dispatchNo) newest.set(item.event.id, item);
  }
  return newest.size === items.length ? items : [...newest.values()];
}
