import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { Settings } from '../../config/settings';
import { HistoryChanged } from '../../db/history/history.queries';
import { classifyPgError, isMaybeOfOne } from '../../db/pg-errors';
import { inTransaction } from '../../db/pool';
import { completeDispatchesOfSucceeded } from '../../event-state/complete.queries';
import { noteTenantRests } from '../../event-state/tenant-rests.queries';
import type { Metrics } from '../../observability/metrics';
import { RareLog } from '../../observability/rare-log';
import type { WakeUp } from '../../redis/wake-up';
import { isTakenInOrder, type Handler } from '../handler';
import { HandlerTimeout } from '../run/handler-timeout';
import { HandlerFailure, TransactionalHandlers } from '../run/transactional-handlers';
import { eventsOf, newestOfEach, unfinishedResultOf, WORKER, withResult, type WorkItem } from '../work-item';
import { nextStep, type Mode, type Tried, type Uncommitted } from './next-step';
import { OwnStatements } from './own-statements';
import { PassDeliveries, type DeliveryTaker } from './pass-deliveries';
import { classifyError, postponeTenant } from './retry-policy';
import { merge, SettlePass, type PassOptions, type PassResult } from './settle-pass';
import { SettleReport } from './settle-report';
import { MANY_FAILURES, TenantTrouble } from './tenant-trouble';

/** Events of one tenant that may use up a handler's whole timeout in one batch (I10). The others are postponed. */
const MOST_TIMEOUTS_OF_TENANT = 2;

interface FailedPass {
  kind: 'failed';
  /** The items, with the results found before the failure. */
  items: readonly WorkItem[];
  error: unknown;
  /** Name of the handler that threw, or WORKER. */
  handler: string;
  cause: unknown;
}

/** Settles batches of dispatched events: attempts, effects of handlers, deliveries, retries and dead letters. */
export class BatchSettler {
  private readonly settlePass: SettlePass;
  private readonly report: SettleReport;
  private readonly own: OwnStatements;
  private readonly trouble = new TenantTrouble();
  private readonly logger = new Logger('Worker');
  private readonly unnoted = new RareLog();

  constructor(
    settings: Settings,
    private readonly pool: Pool,
    private readonly handlers: readonly Handler[],
    metrics: Metrics,
    private readonly deliveries: DeliveryTaker,
    /** Tells publishers of events that have got the turn of their key. */
    private readonly wakeUp?: Pick<WakeUp, 'signal'>,
  ) {
    const transactional = new TransactionalHandlers(handlers.filter((handler) => handler.kind === 'transactional'));
    this.settlePass = new SettlePass(settings, transactional);
    this.report = new SettleReport(metrics, settings.MAX_RETRY_ATTEMPTS);
    this.own = new OwnStatements(settings, pool, handlers, deliveries);
  }

  /**
   * When this resolves, the outcome of every event is committed, and the messages may be acked (I5). It throws if
   * PostgreSQL cannot be reached or other workers overtook every pass. Events that were not settled have used no
   * attempt.
   * @throws HistoryChanged if the database may have forgotten events of the batch
   */
  async settle(items: readonly WorkItem[]): Promise<void> {
    const newest = newestOfEach(items);
    const { together, apart, postponed, besideOthers } = this.trouble.split(newest, performance.now());
    const first = [...together, ...postponed.map(postponedItem)];
    if (first.length > 0) this.learn(first, await this.settleBatch(first));
    for (const batch of apart) await this.settleApart(batch);
    if (besideOthers.length > 0) await this.noteRests(besideOthers);
    if (newest.length < items.length) this.report.superseded(items.filter((item) => !newest.includes(item)));
  }

  /** Repeats passes over a batch until one commits. Returns the items with all results found on the way. */
  private async settleBatch(batch: readonly WorkItem[]): Promise<readonly WorkItem[]> {
    const startedMs = performance.now();
    let items = batch;
    let tried: Tried = { events: batch.length, mode: 'together', rolledBack: 0, repeats: 0 };
    for (;;) {
      const pass = await this.pass(items, tried.mode, startedMs);
      if (pass.kind === 'committed') {
        const { stale } = pass.batch;
        if (stale.length > 0) await this.completeStale(stale);
        this.report.committed(pass.batch);
        return items;
      }
      if (pass.kind === 'failed' && pass.error instanceof HistoryChanged) throw pass.error;
      items = pass.items;
      const step = nextStep(await this.describe(pass, items), tried);
      if (step.kind === 'pass') tried = step.tried;
      else if (step.kind === 'one-by-one') return this.settleOneByOne(items);
      else if (step.kind === 'fail-one' && pass.kind === 'failed') items = withFailure(items, pass);
      else throw pass.kind === 'failed' ? pass.error : new Error('every pass was overtaken by other workers');
    }
  }

  private async settleApart(batch: readonly WorkItem[]): Promise<void> {
    const startedMs = performance.now();
    this.learn(batch, await this.settleBatch(batch));
    const nowMs = performance.now();
    const [item] = batch;
    if (item) this.trouble.ran(item.event.tenantId, nowMs - startedMs, nowMs);
  }

  /** Claims leave these tenants out for so long. Without the note, their events come and are postponed here. */
  private async noteRests(tenants: readonly string[]): Promise<void> {
    const nowMs = performance.now();
    const rests = tenants.map((tenantId) => ({ tenantId, restMs: this.trouble.restMs(tenantId, nowMs) }));
    try {
      await noteTenantRests(this.pool, rests);
    } catch (error) {
      this.unnoted.log((count) =>
        this.logger.warn({ msg: 'claims do not know which tenants have failing handlers', count, err: error }),
      );
    }
  }

  private learn(before: readonly WorkItem[], after: readonly WorkItem[]): void {
    const nowMs = performance.now();
    const ends = new Map<string, { failed: number; succeeded: number }>();
    before.forEach((item, i) => {
      const result = unfinishedResultOf(after[i] ?? item);
      const hasFailed = result !== undefined && result.kind !== 'postpone' && item.unfinished.size === 0;
      if (result && !hasFailed) return; // known before, or postponed
      const end = ends.get(item.event.tenantId) ?? { failed: 0, succeeded: 0 };
      // A handler that hangs costs others its whole timeout, so one time is enough for a second.
      if (hasFailed) end.failed += result.reasonCode === 'TIMEOUT' ? 2 * MANY_FAILURES : 1;
      else end.succeeded += 1;
      ends.set(item.event.tenantId, end);
    });
    for (const [tenantId, end] of ends) this.trouble.learn(tenantId, end, nowMs);
  }

  private completeStale(stale: readonly WorkItem[]): Promise<void> {
    return inTransaction(this.pool, (db) => completeDispatchesOfSucceeded(db, eventsOf(stale)));
  }

  /** @throws if the destinations cannot be read from PostgreSQL */
  private async pass(items: readonly WorkItem[], mode: Mode, startedMs: number): Promise<PassResult | FailedPass> {
    const deliveries = await PassDeliveries.plan(this.deliveries, items, (type) => isTakenInOrder(this.handlers, type));
    const result = await this.transaction(items, { mode, startedMs, deliveries });
    if (result.kind !== 'committed') deliveries?.abandoned();
    else {
      deliveries?.committed(items);
      if (deliveries && deliveries.dispatched > 0) this.wakeUp?.signal();
    }
    return result;
  }

  private async transaction(items: readonly WorkItem[], options: PassOptions): Promise<PassResult | FailedPass> {
    try {
      return await inTransaction(
        this.pool,
        (db) => this.settlePass.run(db, items, options),
        ({ kind }) => kind === 'committed',
      );
    } catch (error) {
      if (!(error instanceof HandlerFailure)) return { kind: 'failed', items, error, handler: WORKER, cause: error };
      const { handler, cause, learned } = error;
      return { kind: 'failed', items: merge(items, learned), error, handler, cause };
    }
  }

  private async describe(pass: FailedPass | { kind: 'rolled-back' }, items: readonly WorkItem[]): Promise<Uncommitted> {
    if (pass.kind === 'rolled-back') return pass;
    const { handler, cause } = pass;
    const byHandler = handler !== WORKER;
    const isOfEvent = !byHandler && isMaybeOfOne(cause) && (await this.own.succeed());
    return {
      kind: 'failed',
      byHandler,
      failure: isOfEvent ? 'unexpected' : classifyPgError(cause),
      timedOut: cause instanceof HandlerTimeout,
      known: items.some(({ unfinished }) => unfinished.has(handler)),
    };
  }

  private async settleOneByOne(batch: readonly WorkItem[]): Promise<readonly WorkItem[]> {
    const timeouts = new Map<string, number>();
    const settled: WorkItem[] = [];
    for (const item of batch) {
      const { tenantId } = item.event;
      const before = timeouts.get(tenantId) ?? 0;
      const skipped = before >= MOST_TIMEOUTS_OF_TENANT;
      const one = skipped ? postponedItem(item) : item;
      const now = await this.settleBatch([one]);
      settled.push(...now);
      if (now.some(timedOut)) timeouts.set(tenantId, before + 1);
    }
    return settled;
  }
}

const postponedItem = (item: WorkItem): WorkItem =>
  withResult(item, WORKER, postponeTenant(item.event.dispatchNo, Math.random()));

const timedOut = ({ unfinished }: WorkItem): boolean =>
  [...unfinished.values()].some(({ reasonCode }) => reasonCode === 'TIMEOUT');

const withFailure = (items: readonly WorkItem[], { handler, cause }: FailedPass): readonly WorkItem[] =>
  items.map((item) => withResult(item, handler, classifyError(cause)));
