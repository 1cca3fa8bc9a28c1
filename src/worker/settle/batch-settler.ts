import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { classifyPgError } from '../../db/pg-errors';
import { inTransaction } from '../../db/pool';
import { Metrics } from '../../observability/metrics';
import { completeDispatchesOfSucceeded, completeStates } from '../../event-state/complete.queries';
import { openAttempts, readEffects, readStates, type EventState } from '../../event-state/open-attempts.queries';
import { clearStarts } from '../crashes/crash-counts.queries';
import type { Failure } from '../../event-state/settle-failures.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { HANDLERS, type Handler } from '../handler';
import { HandlerTimeout } from '../run/handler-call';
import { SettleReport, type SettledBatch } from './settle-report';
import { settleFailures } from '../../event-state/settle-failures';
import { classifyError, postponeTenant, decide } from './retry-policy';
import { newestOfEach, Settlement, type Findings } from './settlement';
import { HandlerFailure, TransactionalHandlers } from '../run/transactional-handlers';

/** Deadlocks and failed serialisations are repeated this often before somebody is blamed for them. */
const MOST_REPEATS = 3;
/** More events of one tenant may not use up a handler's whole timeout in one batch (I10). */
const MOST_TIMEOUTS_OF_TENANT = 2;

/** The transaction has to be rolled back and made again with what is known by now. */
class Again extends Error {
  override readonly message = 'overtaken by other workers again and again';
}

/** Carries a batch of delivered events to a committed outcome each: attempts, effects, retries and dead letters. */
@Injectable()
export class BatchSettler {
  private readonly worker = `${hostname()}:${process.pid}`;
  private readonly transactional: TransactionalHandlers;
  private readonly report: SettleReport;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    @Inject(HANDLERS) handlers: readonly Handler[],
    metrics: Metrics,
  ) {
    this.report = new SettleReport(metrics, settings.MAX_RETRY_ATTEMPTS);
    this.transactional = new TransactionalHandlers(handlers.filter((handler) => handler.kind === 'transactional'));
  }

  /**
   * When this resolves, the outcome of every event is committed and its delivery may be acked (I5). When it throws,
   * PostgreSQL could not be reached and nothing was decided; that is no attempt of the events. `findings` tells what
   * ran before: external handlers, and trials.
   */
  async settle(
    events: readonly DispatchedEvent[],
    findings: ReadonlyMap<DispatchedEvent, Findings> = new Map(),
  ): Promise<void> {
    const settlements = newestOfEach(events).map((event) => new Settlement(event, findings.get(event)));
    if (settlements.length > 0) await this.settleBatch(settlements);
  }

  private async settleBatch(settlements: readonly Settlement[]): Promise<void> {
    const startedMs = Date.now();
    let apart = false;
    for (let repeats = 0, passes = 0; ;) {
      try {
        const work = { settlements, apart, startedMs };
        const outcome = await inTransaction(this.pool, (db) => this.settleIn(db, work));
        this.report.committed(outcome);
        return;
      } catch (error) {
        if (error instanceof Again) {
          // Each pass knows more events to blame, or finds one more settled by somebody else.
          if (++passes > 2 * settlements.length + MOST_REPEATS) throw error;
          apart = false;
          continue;
        }
        const byHandler = error instanceof HandlerFailure;
        const cause = byHandler ? error.cause : error;
        if (!byHandler && classifyPgError(error) === 'unavailable') throw error;
        if (classifyPgError(cause) === 'transient' && repeats++ < MOST_REPEATS) continue;
        const [only] = settlements;
        if (settlements.length === 1 && only && (byHandler || apart)) blameAlone(only, error);
        // Not by a handler: one may have swallowed the error of a statement, which its savepoint will tell.
        else if (!apart && !(cause instanceof HandlerTimeout)) apart = true;
        else return this.settleOneByOne(settlements);
      }
    }
  }

  /** What halving cannot find: a handler that hangs, or a fault outside of all handlers. */
  private async settleOneByOne(settlements: readonly Settlement[]): Promise<void> {
    const timeouts = new Map<string, number>();
    for (const settlement of settlements) {
      const { tenantId, dispatchNo } = settlement.event;
      const before = timeouts.get(tenantId) ?? 0;
      if (before >= MOST_TIMEOUTS_OF_TENANT) settlement.markFailed('', postponeTenant(dispatchNo, Math.random()));
      await this.settleBatch([settlement]);
      const timedOut = [...settlement.unfinished.values()].some(({ reasonCode }) => reasonCode === 'TIMEOUT');
      if (timedOut) timeouts.set(tenantId, before + 1);
    }
  }

  private async settleIn(
    db: PoolClient,
    { settlements, apart, startedMs }: { settlements: readonly Settlement[]; apart: boolean; startedMs: number },
  ): Promise<SettledBatch> {
    const attempt = { durationMs: Date.now() - startedMs, worker: this.worker };
    // Sent at once, but two statements: the second has a new snapshot, which shows what another worker committed while
    // openAttempts waited for it.
    const [opened, states] = await Promise.all([
      openAttempts(db, eventsOf(settlements), attempt),
      readStates(db, eventsOf(settlements)),
    ]);
    const won = settlements.filter(({ event }) => opened.has(event.id));
    if (won.length < settlements.length) {
      await completeDispatchesOfSucceeded(db, eventsOf(settlements.filter(({ event }) => !opened.has(event.id))));
    }
    if (won.some(({ event }) => isOvertaken(event, states))) throw new Again();
    const withState = won.filter(({ event }) => states.has(event.id));
    const done = withState.length > 0 ? await readEffects(db, eventsOf(withState)) : new Map<string, Set<string>>();
    const run = { settlements: won, done };
    const blamed = apart ? await this.transactional.runApart(db, run) : await this.transactional.runTogether(db, run);
    if (blamed) throw new Again();

    const failures = this.toFailures(won, opened, startedMs);
    // Not raised: dispatched again in this very moment (reconciler), which the next pass sees.
    if (failures.length > 0 && !(await settleFailures(db, failures))) throw new Again();
    const completed = won.filter(({ result }) => !result);
    const toComplete = completed.filter(({ event }) => states.has(event.id)).map(({ event }) => event.id);
    if (toComplete.length > 0) await completeStates(db, toComplete);
    const onTrial = settlements.filter((settlement) => settlement.onTrial).map(({ event }) => event.id);
    if (onTrial.length > 0) await clearStarts(db, onTrial);
    return { completed: eventsOf(completed), failures, attempts: opened, durationMs: Date.now() - startedMs };
  }

  private toFailures(won: readonly Settlement[], opened: ReadonlyMap<string, number>, startedMs: number): Failure[] {
    return won.flatMap((settlement) => {
      const { event, result } = settlement;
      if (!result) return [];
      const attemptNumber = opened.get(event.id) ?? 1;
      const decision = decide(result, attemptNumber, this.settings, Math.random());
      const effects = [...settlement.unfinished.values()].flatMap((unfinished) => unfinished.effects ?? []);
      const done = [
        ...settlement.done,
        ...effects,
        ...(settlement.runsHandlers ? this.transactional.namesDone(settlement) : []),
      ];
      const durationMs = settlement.externalMs + Date.now() - startedMs;
      return [{ event, attemptNumber, decision, durationMs, done }];
    });
  }
}

const eventsOf = (settlements: readonly Settlement[]): DispatchedEvent[] => settlements.map(({ event }) => event);

function isOvertaken({ id, dispatchNo }: DispatchedEvent, states: ReadonlyMap<string, EventState>): boolean {
  const state = states.get(id);
  return state !== undefined && (state.dispatchNo > dispatchNo || state.status !== 'DISPATCHED');
}

/** @throws the error when the event was given up before: then it is no event's fault. */
function blameAlone(settlement: Settlement, error: unknown): void {
  const [handler, cause] = error instanceof HandlerFailure ? [error.handler, error.cause] : ['', error];
  if (settlement.unfinished.has(handler)) throw error;
  settlement.markFailed(handler, classifyError(cause));
}
