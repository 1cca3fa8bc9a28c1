import type { DispatchedEvent } from '../../event/dispatched-event';
import type { UnfinishedResult } from '../handler';
import { moreSevere } from './retry-policy';

/** What is known of an event before its settle transaction: how its external handlers ended, and that it is on trial. */
export interface Findings {
  /** External handlers that are done. */
  done: readonly string[];
  /** By handler. */
  unfinished: ReadonlyMap<string, UnfinishedResult>;
  /** How long the external handlers took. */
  durationMs: number;
  /** It runs on suspicion (crash-trials.queries.ts); its settlement ends the trial. */
  onTrial: boolean;
}

/** One event on its way to a committed outcome. What is found out in a transaction that is rolled back stays known. */
export class Settlement {
  /** By handler; those of a worker that gave up on it are under ''. */
  readonly unfinished: Map<string, UnfinishedResult>;
  readonly done: readonly string[];
  readonly onTrial: boolean;
  readonly externalMs: number;

  constructor(
    readonly event: DispatchedEvent,
    findings?: Findings,
  ) {
    this.unfinished = new Map(findings?.unfinished);
    this.done = findings?.done ?? [];
    this.onTrial = findings?.onTrial ?? false;
    this.externalMs = findings?.durationMs ?? 0;
  }

  markFailed(handler: string, result: UnfinishedResult): void {
    this.unfinished.set(handler, result);
  }

  /** The gravest of the results; undefined when the event is completed. */
  get result(): UnfinishedResult | undefined {
    if (this.unfinished.size === 0) return undefined;
    return [...this.unfinished.values()].reduce(moreSevere);
  }

  /** It could not begin, which is no attempt, or was given up: then its transactional handlers do not run either. */
  get runsHandlers(): boolean {
    if (this.unfinished.size === 0) return true;
    return !this.unfinished.has('') && this.result?.kind !== 'postpone';
  }
}

/** One event may be twice in a batch; of two dispatches only the newer counts (I11). */
export function newestOfEach(events: readonly DispatchedEvent[]): DispatchedEvent[] {
  const newest = new Map<string, DispatchedEvent>();
  for (const event of events) {
    const other = newest.get(event.id);
    if (!other || other.dispatchNo < event.dispatchNo) newest.set(event.id, event);
  }
  return newest.size === events.length ? [...events] : [...newest.values()];
}
