import { hostname } from 'node:os';
import type { PoolClient } from 'pg';
import type { Settings } from '../../config/settings';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { completeStates } from '../../event-state/complete.queries';
import { openAttempts, readEffects, readStates, type EventState } from '../../event-state/open-attempts.queries';
import { settleFailures } from '../../event-state/settle-failures';
import { HistoryChanged } from '../../db/history/history.queries';
import { clearStarts } from '../crashes/crash-counts.queries';
import type { TransactionalHandlers } from '../run/transactional-handlers';
import { areOf, eventsOf, unfinishedResultOf, runsHandlers, type WorkItem } from '../work-item';
import type { Mode } from './next-step';
import type { PassDeliveries } from './pass-deliveries';
import { decide, type RetryRules } from './retry-policy';
import type { SettledBatch, SettledFailure } from './settle-report';

/** How a settle transaction ended. If it is rolled back, it returns the items with the results that it found. */
export type PassResult =
  { kind: 'committed'; batch: SettledBatch } | { kind: 'rolled-back'; items: readonly WorkItem[] };

export interface PassOptions {
  mode: Mode;
  startedMs: number;
  /** What is planned for the events that it completes. */
  deliveries?: PassDeliveries | undefined;
}

const NOTHING: ReadonlyMap<string, ReadonlySet<string>> = new Map();

/** One settle transaction: attempts, effects of handlers, deliveries, retries and dead letters of a batch. */
export class SettlePass {
  private readonly worker = `${hostname()}:${process.pid}`;
  private readonly copying: { deadLetterCopies: boolean };

  constructor(
    private readonly rules: RetryRules & Pick<Settings, 'DLQ_COPY'>,
    private readonly handlers: TransactionalHandlers,
  ) {
    this.copying = { deadLetterCopies: rules.DLQ_COPY };
  }

  /**
   * Runs in the caller's transaction, which must be rolled back unless this returns `committed`.
   * @throws HistoryChanged if the database may have forgotten events of the batch
   */
  async run(
    db: PoolClient,
    items: readonly WorkItem[],
    { mode, startedMs, deliveries }: PassOptions,
  ): Promise<PassResult> {
    // Sent together, but as separate statements: the second has a new snapshot, which shows what another worker committed
    // while openAttempts waited for it.
    const [opened, { states, history }] = await Promise.all([
      openAttempts(db, eventsOf(items), { durationMs: performance.now() - startedMs, worker: this.worker }),
      readStates(db, eventsOf(items)),
    ]);
    if (!areOf(history, items)) throw new HistoryChanged();
    const won = items.filter(({ event }) => opened.has(event.id));
    const stale = items.length === won.length ? [] : items.filter(({ event }) => !opened.has(event.id));
    if (won.some(({ event }) => isOvertaken(event, states))) return { kind: 'rolled-back', items };

    const ran = await this.runHandlers(db, won, mode, states);
    if (ran !== won) return { kind: 'rolled-back', items: merge(items, ran) };

    const failures = this.failuresOf(won, opened, startedMs);
    const completed = won.filter((item) => !unfinishedResultOf(item));
    const known = eventsOf(completed).filter(({ id }) => states.has(id));
    // False if an event was dispatched again meanwhile (e.g. by the reconciler); the next pass sees that.
    if (failures.length > 0 && !(await settleFailures(db, failures, known, this.copying)))
      return { kind: 'rolled-back', items };
    if (failures.length === 0) await completeStates(db, known);
    await clearStarts(db, idsOf(items.filter(({ marked }) => marked)));
    const dead = failures.filter(({ decision }) => decision.kind === 'dead-letter');
    if (deliveries && !(await deliveries.record(db, completed, dead))) return { kind: 'rolled-back', items };
    const durationMs = Math.round(performance.now() - startedMs);
    return { kind: 'committed', batch: { completed, failures, stale, attempts: opened, durationMs } };
  }

  private async runHandlers(
    db: PoolClient,
    items: readonly WorkItem[],
    mode: Mode,
    states: ReadonlyMap<string, EventState>,
  ): Promise<readonly WorkItem[]> {
    const withState = eventsOf(items.filter(({ event }) => states.has(event.id)));
    const doneBefore = withState.length > 0 ? await readEffects(db, withState) : NOTHING;
    return mode === 'together'
      ? this.handlers.runTogether(db, items, doneBefore)
      : this.handlers.runIsolating(db, items, doneBefore);
  }

  private failuresOf(
    items: readonly WorkItem[],
    opened: ReadonlyMap<string, number>,
    startedMs: number,
  ): SettledFailure[] {
    return items.flatMap((item) => {
      const result = unfinishedResultOf(item);
      if (!result) return [];
      const { event, span, unfinished } = item;
      const attemptNumber = opened.get(event.id) ?? 1;
      const effects = [...unfinished.values()].flatMap((one) => one.effects ?? []);
      const transactional = runsHandlers(item) ? this.handlers.namesDone(item) : [];
      return {
        event,
        span,
        attemptNumber,
        decision: decide(result, attemptNumber, this.rules, Math.random()),
        durationMs: Math.round(item.externalMs + performance.now() - startedMs),
        done: [...item.done, ...effects, ...transactional],
      };
    });
  }
}

/** Replaces items by their newer copies. */
export function merge(items: readonly WorkItem[], newer: readonly WorkItem[]): readonly WorkItem[] {
  if (newer.length === 0) return items;
  const byId = new Map(newer.map((item) => [item.event.id, item]));
  return items.map((item) => byId.get(item.event.id) ?? item);
}

const idsOf = (items: readonly WorkItem[]): string[] => items.map(({ event }) => event.id);

function isOvertaken({ id, dispatchNo }: DispatchedEvent, states: ReadonlyMap<string, EventState>): boolean {
  const state = states.get(id);
  return state !== undefined && (state.dispatchNo > dispatchNo || state.status !== 'DISPATCHED');
}
