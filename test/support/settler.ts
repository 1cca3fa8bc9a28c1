import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { Event } from '../../src/event/event';
import type { DispatchedEvent } from '../../src/event/dispatched-event';
import { dispatchDueRetries } from '../../src/event-state/dispatch-due-retries.queries';
import { Metrics } from '../../src/observability/metrics';
import type { Handler } from '../../src/worker/handler';
import { UsageMeter } from '../../src/worker/handlers/usage-meter';
import { BatchSettler } from '../../src/worker/settle/batch-settler';
import type { DeliveryTaker } from '../../src/worker/settle/pass-deliveries';
import { workItem, type WorkItem } from '../../src/worker/work-item';
import { testSettings } from './app';
import { createTestDatabase, type TestDatabase } from './database';
import { NO_DELIVERIES } from './deliveries';
import { FailingHandler } from './failing-handler';
import { delivered, givenEvent, outboxRows } from './rows';

/** Returns the work item that a worker builds for a message with this event. `found` overrides its fields. */
export function itemOf(event: DispatchedEvent, found: Partial<WorkItem> = {}): WorkItem {
  const message = { id: event.id, headers: {}, body: event.body, tag: 1, redelivered: false };
  return { ...workItem(message, event), ...found };
}

export interface TestSettler {
  settle(events: readonly DispatchedEvent[]): Promise<void>;
}

export function settlerOf(
  pool: Pool,
  handlers: readonly Handler[],
  {
    env = {},
    metrics = new Metrics(),
    deliveries = NO_DELIVERIES,
  }: { env?: Record<string, string>; metrics?: Metrics; deliveries?: DeliveryTaker } = {},
): TestSettler {
  const rules = { MAX_RETRY_ATTEMPTS: '3', RETRY_BACKOFF_MS: '1000,5000', RETRY_JITTER: '0', DLQ_COPY: 'true', ...env };
  const settler = new BatchSettler(testSettings(rules), pool, handlers, metrics, deliveries);
  return { settle: (events) => settler.settle(events.map((event) => itemOf(event))) };
}

/**
 * A database for the worker tests of one file. It is emptied before each test, and has the table `effects`, to which
 * recordingEffects writes.
 */
export class WorkerDatabase {
  private database!: TestDatabase;

  /** Registers Jest hooks: call it inside `describe`. */
  constructor() {
    beforeAll(async () => {
      Logger.overrideLogger(false);
      this.database = await createTestDatabase();
      await this.pool.query('create table effects (handler text, event_id uuid, generation integer)');
    });
    beforeEach(async () => {
      await this.pool.query(
        `truncate events, outbox, idempotency_keys, event_state, processing_attempts, retry_schedule, dead_letters,
                  usage_daily, handler_effects, crash_trials, deliveries, delivery_queue, event_revisions, tenant_rests,
                  effects`,
      );
    });
    afterAll(() => this.database.drop());
  }

  get pool(): Pool {
    return this.database.pool;
  }

  get url(): string {
    return this.database.url;
  }

  /** Returns the events and bytes that the usage meter has counted. */
  async usage(): Promise<{ events: number; bytes: number }> {
    const { rows } = await this.pool.query<{ events: number; bytes: number }>(
      'select coalesce(sum(events), 0)::int as events, coalesce(sum(bytes), 0)::int as bytes from usage_daily',
    );
    return rows[0] as { events: number; bytes: number };
  }

  /** Makes the retry of an event due and dispatches it. Returns the event that the worker receives. */
  async nextDispatch(event: Event, dispatchNo: number): Promise<DispatchedEvent> {
    await this.pool.query('update retry_schedule set due_at = now()');
    await expect(dispatchDueRetries(this.pool, 10)).resolves.toBe(1);
    expect((await outboxRows(this.pool, event)).at(-1)).toMatchObject({ destination: 'retry', dispatchNo });
    return delivered(event, { dispatchNo });
  }
}

/** A settler with the usage meter and a failing handler. Each test gets new handlers and metrics. */
export class SettlerFixture extends WorkerDatabase {
  metrics!: Metrics;
  failing!: FailingHandler;

  constructor() {
    super();
    beforeEach(() => {
      this.metrics = new Metrics();
      this.failing = new FailingHandler();
    });
  }

  settler(pool: Pool = this.pool): TestSettler {
    return settlerOf(pool, [new UsageMeter(), this.failing], { metrics: this.metrics });
  }

  settle(...events: DispatchedEvent[]): Promise<void> {
    return this.settler().settle(events);
  }

  given(eventType = 'order.paid'): Promise<Event> {
    return givenEvent(this.pool, { eventType });
  }
}

export const bytesOf = (events: readonly Event[]): number => events.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
