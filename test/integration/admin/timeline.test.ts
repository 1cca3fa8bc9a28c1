import type { Pool } from 'pg';
import {
  listDeliveriesOfTimeline,
  listDeliveryAttemptsOfTimeline,
} from '../../../src/admin/timeline/delivery-history.queries';
import {
  findTimelineEvent,
  listClosedDispatches,
  listRejectionsOfEvent,
  listRevisionsOfTimeline,
} from '../../../src/admin/timeline/event-history.queries';
import {
  findDeadLetter,
  findScheduledRetry,
  listHandlerAttempts,
} from '../../../src/admin/timeline/handler-history.queries';
import { listActionsOfTimeline, listReplaysOfTimeline } from '../../../src/admin/timeline/operator-history.queries';
import type { Event } from '../../../src/event/event';
import { pastTheTriggers } from '../../support/audit';
import { admin, givenCompleted, givenDeadLetters } from '../../support/admin';
import { givenOperator, heedAccess, type OperatorFields } from '../../support/credentials';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { statementsOf, type Statement } from '../../support/rows-read';
import { givenFailedEvent } from '../../support/rows';

interface Entry {
  at: string;
  kind: string;
  actor: string | null;
  text: string;
  note: string | null;
  data: Record<string, unknown>;
}
interface Timeline {
  entries: Entry[];
  truncated: boolean;
}

describe('GET /v1/admin/events/{id}/timeline', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const read = async (id: string, token?: string): Promise<Timeline> => {
    const headers = token === undefined ? {} : { 'x-admin-token': token };
    const { status, body, text } = await admin<Timeline>(api.url, `events/${id}/timeline`, undefined, headers);
    expect([status, text]).toEqual([200, text]);
    return body;
  };
  const tell = async (id: string, token?: string) =>
    (await read(id, token)).entries.map(({ kind, actor, note }) => [kind, actor, note]);

  const tokenOf = async (fields: OperatorFields): Promise<string> => {
    const { text } = await givenOperator(api.pool, fields);
    heedAccess(api.app);
    return text;
  };

  it('shows a retry that waits, with the time at which it is due', async () => {
    const event = await givenFailedEvent(api.pool, 3_600);
    const { entries } = await read(event.id);
    expect(entries.map(({ kind }) => kind).sort()).toEqual(['attempt', 'published', 'received', 'retry-scheduled']);
    const retry = entries.find(({ kind }) => kind === 'retry-scheduled');
    expect(retry?.data).toMatchObject({ attemptNumber: 2, lastError: 'it broke' });
    expect(retry?.text).toBe(`Attempt 2 of the handlers is due at ${String(retry?.data.dueAt)}.`);
  });

  it('shows the operator of an action only to operators who may see the action', async () => {
    const tenantId = 'seen';
    const [letter] = (await givenDeadLetters(api.pool, 1, { tenantId })) as [Event];
    await admin(api.url, 'dlq/discard', { all: true, note: 'for all tenants' });
    const own = await tokenOf({ role: 'viewer', tenantIds: [tenantId] });
    expect((await tell(letter.id)).at(-1)).toEqual(['action', 'admin', 'for all tenants']);
    expect((await tell(letter.id, own)).at(-1)).toEqual(['action', null, null]);

    await admin(api.url, 'replay', { tenantId, eventIds: [letter.id], mode: 'reprocess', note: 'for this tenant' });
    for (const token of [undefined, own]) {
      expect((await tell(letter.id, token)).at(-1)).toEqual(['replay', 'admin', 'for this tenant']);
    }
    await pastTheTriggers(api.pool, 'update admin_audit set tenant_ids = null');
    expect((await tell(letter.id, own)).at(-1)).toEqual(['replay', null, null]);
  });

  it('does not show the event of another tenant', async () => {
    const [event] = (await givenCompleted(api.pool, 1, 'hidden')) as [Event];
    const other = await tokenOf({ role: 'owner', tenantIds: ['other'] });
    const answer = await admin(api.url, `events/${event.id}/timeline`, undefined, { 'x-admin-token': other });
    expectProblem(answer, 404, 'event-not-found');
    expectProblem(await admin(api.url, 'events/not-an-id/timeline'), 400, 'invalid-request');
  });

  it('shows the newest 1,000 entries, oldest first', async () => {
    const [event] = (await givenCompleted(api.pool, 1, 'long')) as [Event];
    const destinationId = await givenDestinationRow(api.pool, { tenantId: 'long' });
    await givenDelivery(api.pool, { eventId: event.id, destinationId, tenantId: 'long', attempts: 1_500 });
    await api.pool.query(
      `insert into delivery_attempts (event_id, destination_id, generation, attempt_number, at, reason_code, duration_ms, worker)
       select $1, $2, 1, n, now() + make_interval(secs => n), 'TIMEOUT', 1, 'test' from generate_series(1, 1500) as n`,
      [event.id, destinationId],
    );
    const { entries, truncated } = await read(event.id);
    expect(truncated).toBe(true);
    expect(entries.map(({ data }) => data.attemptNumber)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 501));
  });

  it('reads by the id of the event alone, through indexes', async () => {
    const [event] = (await givenCompleted(api.pool, 1, 'plans')) as [Event];
    const scope = { tenantIds: ['plans'], limit: 1_001 };
    const statements = await statementsOf(api.pool, async (db) => {
      await findTimelineEvent(db, event.id, scope.tenantIds);
      await listRejectionsOfEvent(db, event.id, scope.limit);
      await listClosedDispatches(db, event.id, scope.limit);
      await listRevisionsOfTimeline(db, event.id);
      await listHandlerAttempts(db, event.id, scope.limit);
      await findScheduledRetry(db, event.id);
      await findDeadLetter(db, event.id);
      await listDeliveriesOfTimeline(db, event.id, scope);
      await listDeliveryAttemptsOfTimeline(db, event.id, scope.limit);
      await listReplaysOfTimeline(db, event.id, scope);
      await listActionsOfTimeline(db, event.id, scope);
    });
    expect(statements).toHaveLength(11);
    for (const statement of statements) {
      const plan = await planOf(api.pool, statement);
      expect(plan).not.toContain('Seq Scan on');
      expect(plan).toContain('Index Cond');
    }
  });
});

/** The plan for tables that are too large to be scanned. */
async function planOf(pool: Pool, { text, values }: Statement): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin; set local enable_seqscan = off');
    const { rows } = await client.query<Record<string, string>>(`explain ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await client.query('rollback');
    client.release();
  }
}
