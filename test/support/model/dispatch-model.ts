import * as fc from 'fast-check';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import type { Dispatch } from '../../../src/event-state/dispatch-again.queries';
import { dispatchDeadLetters } from '../../../src/event-state/dispatch-dead-letters.queries';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { assessForReplay, dispatchReplayed, type ReplayMode } from '../../../src/event-state/dispatch-replayed.queries';
import { eraseAs } from '../../../src/admin/erasures/erasure-acts';
import { inTransaction } from '../../../src/db/pool';
import { discardDeadLetters } from '../../../src/event-state/discard-dead-letters.queries';
import { readDispatchedEvent } from '../../../src/worker/consume/read-message';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import type { Handler, UnfinishedResult } from '../../../src/worker/handler';
import { recordingEffects, transactional } from '../handlers';
import { givenEvents } from '../rows';
import { settlerOf } from '../settler';
import { takePending } from '../worker';
import { reviseDeadLetter } from './revise-dead-letter';

export type Outcome = 'done' | 'retry' | 'dead-letter' | 'throw';

/** One step of a script. The numbers select one of the current messages or events. */
export type Step =
  | { kind: 'deliver'; message: number; outcome: Outcome; crash?: 'before-commit' | 'before-ack' | undefined }
  | { kind: 'deliver-twice-at-once'; message: number; outcomes: [Outcome, Outcome] }
  | { kind: 'duplicate'; message: number }
  | { kind: 'lose'; message: number }
  | { kind: 'retry-due' }
  | { kind: 'erase'; erased: number; message: number; outcome: Outcome; isDelivered: boolean }
  | { kind: 'revise'; event: number; retry: boolean; crashes: boolean }
  | { kind: 'reconcile' | 'retry-dead-letter' | 'discard' | ReplayMode; event: number };

const outcome = fc.constantFrom<Outcome>('done', 'retry', 'dead-letter', 'throw');
const n = fc.nat(50);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      message: n,
      outcome,
      crash: fc.constantFrom(undefined, undefined, 'before-commit' as const, 'before-ack' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('deliver-twice-at-once' as const),
      message: n,
      outcomes: fc.tuple(outcome, outcome),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('duplicate' as const), message: n }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), message: n }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'retry-due' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('erase' as const),
      erased: n,
      message: n,
      outcome,
      isDelivered: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('revise' as const),
      event: n,
      retry: fc.boolean(),
      crashes: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'reconcile' as const,
        'reprocess' as const,
        'republish' as const,
        'retry-dead-letter' as const,
        'discard' as const,
      ),
      event: n,
    }),
  },
);
export const steps = fc.array(step, { minLength: 4, maxLength: 18 });

const EVENTS = 2;
/** More rounds until all events are settled, or more transactions for one message, mean that there is no progress. */
const MOST_ROUNDS = 30;
const MOST_TRANSACTIONS = 60;

const NEWEST_REVISION = 'select revision from event_state where event_id = $1';

/** Changes the text of a named statement. Tests use it to remove a safeguard. */
export type Sabotage = (name: string, text: string) => string;

/** A few events against the real settler and database, with a broker that may lose, repeat and reorder messages. */
export class DispatchModel {
  private messages: DispatchedEvent[] = [];
  private events: Event[] = [];
  private readonly violations: string[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly sabotage: Sabotage = (_, text) => text,
  ) {}

  /** Runs the steps on new events, then settles all events. Returns the violated invariants. */
  async run(script: readonly Step[]): Promise<string[]> {
    this.events = await givenEvents(this.pool, EVENTS);
    await this.publish();
    for (const next of script) await this.step(next);
    await this.comeToRest();
    await this.checkHistory();
    return this.violations;
  }

  private async step(next: Step): Promise<void> {
    if (next.kind === 'retry-due') return this.retryDue();
    if ('event' in next) {
      const event = this.events[next.event % EVENTS] as Event;
      if (next.kind === 'reconcile') return this.reconcile([event]);
      if (next.kind === 'revise') return this.revise(event, next);
      if (next.kind === 'retry-dead-letter') await dispatchDeadLetters(this.pool, [event.id]);
      else if (next.kind === 'discard') await discardDeadLetters(this.pool, [event.id], undefined);
      else await this.replay(event, next.kind);
      return this.publish();
    }
    const message = this.messages[next.message % this.messages.length];
    if (next.kind === 'erase') {
      const event = this.events[next.erased % EVENTS] as Event;
      const settled = message && next.isDelivered ? this.settle({ ...message }, next.outcome) : undefined;
      await Promise.all([this.erase(event), settled]);
      if (settled) await this.acked(message as DispatchedEvent);
      return;
    }
    if (!message) return;
    if (next.kind === 'duplicate') this.messages.push({ ...message });
    else if (next.kind === 'lose') this.drop(message);
    else if (next.kind === 'deliver-twice-at-once') {
      await Promise.all(next.outcomes.map((o) => this.settle({ ...message }, o)));
      await this.acked(message);
    } else {
      await this.settle(message, next.outcome, next.crash);
      if (!next.crash) await this.acked(message);
    }
  }

  /** Revises an event like an operator: refused unless it is a dead letter. */
  private async revise({ id }: Event, { retry, crashes }: { retry: boolean; crashes: boolean }): Promise<void> {
    const before = await this.standing(id);
    const result = await reviseDeadLetter(this.pool, id, { retry, crashes });
    const after = await this.standing(id);
    if (result === 'made' && before.status !== 'DLQ') this.violations.push(`a revision of an event ${before.status}`);
    const isWhole = after.revision === before.revision + (result === 'made' ? 1 : 0);
    if (!isWhole || after.stored !== after.revision) this.violations.push('I1: a revision is half done');
    return this.publish();
  }

  /** `stored`: the number of the newest stored revision. */
  private async standing(id: string): Promise<{ status: string | null; revision: number; stored: number }> {
    const { rows } = await this.pool.query<{ status: string | null; revision: number; stored: number }>(
      `select s.status, coalesce(s.revision, 1) as revision,
              (select coalesce(max(revision), 1) from event_revisions where event_id = $1) as stored
         from (select) one left join event_state s on s.event_id = $1`,
      [id],
    );
    return rows[0] as { status: string | null; revision: number; stored: number };
  }

  private async settle(
    event: DispatchedEvent,
    outcome: Outcome,
    crash?: 'before-commit' | 'before-ack',
  ): Promise<void> {
    const handlers: Handler[] = [
      transactional('first', ['*'], async (events, call) => {
        await this.checkDispatch(events, call.db);
        await recordingEffects('first')(events, call);
      }),
      transactional('second', ['*'], async (events, call) => {
        await recordingEffects('second')(events, call);
        if (outcome === 'throw') throw new Error('it broke');
        if (outcome === 'done') return;
        const result: UnfinishedResult = { kind: outcome, reasonCode: 'HTTP_5XX' };
        return new Map(events.map(({ id }) => [id, result]));
      }),
    ];
    const settler = settlerOf(this.sabotaged(crash === 'before-commit'), handlers, { env: { RETRY_BACKOFF_MS: '1' } });
    try {
      await settler.settle([event]);
    } catch (error) {
      if (crash !== 'before-commit') throw error;
    }
  }

  /** As an erasure does: a step that met a dispatch is repeated. */
  private async erase({ id }: Event): Promise<void> {
    for (let i = 0; i < MOST_ROUNDS; i++) {
      const erase = (db: PoolClient) => eraseAs(uuidV7()).events(db, [id]);
      if (await inTransaction(this.pool, erase, (counts) => counts !== undefined)) return;
    }
    this.violations.push('an erasure makes no progress');
  }

  /** I5: before the ack, an outcome was committed from which a retry or an operator can continue. */
  private async acked(message: DispatchedEvent): Promise<void> {
    this.drop(message);
    const { rows } = await this.pool.query<{ settled: boolean }>(
      `select exists (select from processing_attempts where event_id = $1 and generation = $2 and status = 'SUCCESS')
           or exists (select from event_state where event_id = $1 and (dispatch_no > $3 or status <> 'DISPATCHED')) as settled`,
      [message.id, message.generation, message.dispatchNo],
    );
    if (!rows[0]?.settled) this.violations.push(`I5: ${message.id} was acked without an outcome`);
  }

  /** I11, checked inside the settle transaction. */
  private async checkDispatch(events: readonly DispatchedEvent[], db: Pick<PoolClient, 'query'>): Promise<void> {
    for (const { id, dispatchNo, revision = 1 } of events) {
      const newest = (await db.query<{ revision: number }>(NEWEST_REVISION, [id])).rows[0]?.revision ?? 1;
      if (newest !== revision) this.violations.push(`I11: revision ${revision} of ${id} ran after ${newest} was made`);
      const { rowCount } = await db.query('select from event_state where event_id = $1 and dispatch_no > $2', [
        id,
        dispatchNo,
      ]);
      if (rowCount) this.violations.push(`I11: dispatch ${dispatchNo} of ${id} ran after a higher one was visible`);
      const erased = await db.query('select from events where id = $1 and erased_at is not null', [id]);
      if (erased.rowCount) this.violations.push(`I12: ${id} ran after it was erased`);
    }
  }

  private drop(message: DispatchedEvent): void {
    this.messages = this.messages.filter((other) => other !== message);
  }

  private async publish(): Promise<void> {
    for (const message of await takePending(this.pool)) {
      const event = readDispatchedEvent(message);
      if (event && message.queue !== 'events.dlq') this.messages.push(event);
    }
  }

  private async retryDue(): Promise<void> {
    await this.pool.query(`update retry_schedule set due_at = now() - interval '1 ms'`);
    await dispatchDueRetries(this.pool, 100);
    await this.publish();
  }

  /** Dispatches events again like the reconciler, whether their message was lost or is only late. */
  private async reconcile(events: readonly Event[]): Promise<void> {
    const { rows } = await this.pool.query<Dispatch>(
      `select distinct on (o.event_id) o.event_id as "eventId", o.dispatch_no as "dispatchNo", abs(o.generation) as generation
         from outbox o left join event_state s on s.event_id = o.event_id
        where o.event_id = any ($1::uuid[]) and o.destination <> 'dlq' and o.status = 'PUBLISHED'
          and (s.event_id is null or s.dispatch_no = o.dispatch_no and s.status = 'DISPATCHED')
          and not exists (select from processing_attempts a
                           where a.event_id = o.event_id and a.generation = abs(o.generation) and a.status = 'SUCCESS')
        order by o.event_id, o.dispatch_no desc`,
      [events.map(({ id }) => id)],
    );
    if (rows.length > 0) await dispatchLost(this.pool, rows);
    await this.publish();
  }

  /** Replays an event like an operator. The replay sends it only when it is settled. */
  private async replay({ id }: Event, mode: ReplayMode): Promise<void> {
    const assessed = await assessForReplay(this.pool, { ids: [id], discardedToo: true, ownReplay: null });
    await dispatchReplayed(
      this.pool,
      { mode, discardedToo: true },
      assessed.filter(({ reason }) => reason === null),
    );
  }

  /** I13: when nothing fails any more, every event is settled, even after messages were lost. */
  private async comeToRest(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      for (const message of [...this.messages]) {
        await this.settle(message, 'done');
        await this.acked(message);
      }
      await this.retryDue();
      await this.reconcile(this.events);
      if (this.messages.length === 0) break;
    }
    const { rows } = await this.pool.query<{ status: string }>(
      'select status from event_status where event_id = any ($1::uuid[])',
      [this.events.map(({ id }) => id)],
    );
    for (const { status } of rows) {
      if (!['COMPLETED', 'DLQ', 'DISCARDED'].includes(status)) this.violations.push(`I13: an event rests as ${status}`);
    }
  }

  private async checkHistory(): Promise<void> {
    const { rows } = await this.pool.query<{
      successes: number;
      numbers: number[];
      dispatches: number[];
      effects: number[];
    }>(
      `select g.event_id, g.generation,
              (select count(*)::int from processing_attempts a
                where (a.event_id, a.generation, a.status) = (g.event_id, g.generation, 'SUCCESS')) as successes,
              array(select a.attempt_number from processing_attempts a
                     where (a.event_id, a.generation) = (g.event_id, g.generation) order by a.dispatch_no) as numbers,
              array(select a.dispatch_no from processing_attempts a
                     where (a.event_id, a.generation) = (g.event_id, g.generation) order by a.dispatch_no) as dispatches,
              array(select count(*)::int from effects f
                     where (f.event_id, f.generation) = (g.event_id, g.generation) group by f.handler) as effects
         from (select distinct event_id, generation from processing_attempts where event_id = any ($1::uuid[])) g`,
      [this.events.map(({ id }) => id)],
    );
    for (const { successes, numbers, dispatches, effects } of rows) {
      if (successes > 1) this.violations.push(`I7: ${successes} successes of one generation`);
      if (effects.some((count) => count > 1)) this.violations.push(`I7: effects happened ${effects.join()} times`);
      if (successes === 1 && effects.length < 2) this.violations.push('I7: a success without all effects');
      if (new Set(dispatches).size < dispatches.length) this.violations.push('I6: two attempts of one dispatch');
      // Attempts count from 1. A replay of a dead letter in the same generation starts at 1 again.
      const gap = numbers.some((number, i) => number !== 1 && number !== (numbers[i - 1] ?? 0) + 1);
      if (gap) this.violations.push(`I6: attempts are numbered ${numbers.join()}`);
    }
  }

  /** Returns the pool for the settler, with changed statements and, if asked for, a crash before the commit. */
  private sabotaged(crashes: boolean): Pool {
    const { pool, sabotage } = this;
    let transactions = 0;
    const connect = async (): Promise<PoolClient> => {
      if (++transactions > MOST_TRANSACTIONS) throw new Error('no progress');
      const client = await pool.connect();
      const query = (statement: string | QueryConfig, values?: unknown[]) => {
        if (statement === 'commit' && crashes) {
          return Promise.reject(Object.assign(new Error('killed'), { code: 'ECONNRESET' }));
        }
        if (typeof statement === 'string') return client.query(statement, values);
        const { name = '', text, values: bound } = statement;
        return client.query(sabotage(name, text), bound);
      };
      return Object.assign(Object.create(client) as PoolClient, { query, release: (e?: Error) => client.release(e) });
    };
    return Object.assign(Object.create(pool) as Pool, { connect });
  }
}
