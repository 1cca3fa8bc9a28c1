import type { Pool } from 'pg';
import { admin } from './admin';
import { getEvent } from './e2e-http';

interface ListedEvent {
  id: string;
  sizeBytes: number;
  attempts: { generation: number }[];
}

interface OutboxAnswer {
  states: Record<string, number>;
  failed: { eventId: string; createdAt: string }[];
}

/** Compares an event in the views with the same event in the API, field by field. Returns its row. */
export async function expectSameEvent(pool: Pool, url: string, tenantId: string, id: string) {
  const { status, body: read } = await getEvent(url, tenantId, id);
  expect(status).toBe(200);
  const list = await admin<{ events: ListedEvent[] }>(url, `events?tenantId=${tenantId}&eventIds=${id}&attempts=true`);
  const listed = list.body.events.find((event) => event.id === id);
  const { rows } = await pool.query<Record<string, unknown>>('select * from reporting.events where id = $1', [id]);
  expect(rows).toEqual([
    {
      id: read.id,
      tenant_id: read.tenantId,
      event_id: read.eventId,
      type: read.type,
      subject: read.subject,
      source: read.source,
      source_id: null,
      generation: expect.any(Number) as number, // the API does not show it
      status: read.status,
      size_bytes: listed?.sizeBytes,
      occurred_at: read.occurredAt,
      received_at: read.receivedAt,
      published_at: read.publishedAt,
      completed_at: read.completedAt,
      next_attempt_at: read.nextAttemptAt,
    },
  ]);
  const attempts = await pool.query(
    'select * from reporting.attempts where event_id = $1 order by created_at, attempt_number',
    [id],
  );
  expect(attempts.rows).toEqual(
    read.attempts.map((attempt, i) => ({
      event_id: id,
      generation: listed?.attempts[i]?.generation,
      dispatch: attempt.dispatch,
      attempt_number: attempt.attemptNumber,
      status: attempt.status,
      reason_code: attempt.reasonCode,
      duration_ms: (attempt as { durationMs?: number }).durationMs,
      created_at: attempt.createdAt,
    })),
  );
  return rows[0] as { status: string; generation: number };
}

export async function expectSameUsage(pool: Pool, url: string, tenantId: string): Promise<void> {
  const { body } = await admin<{ usage: Record<string, unknown>[] }>(url, `usage?tenantId=${tenantId}`);
  const { rows } = await pool.query(
    `select tenant_id as "tenantId", day::text, type, events::float8, bytes::float8, deliveries::float8,
            processed::float8, processed_bytes::float8 as "processedBytes", false as closed from reporting.usage
      where tenant_id = $1 order by reporting.usage.day desc, type`,
    [tenantId],
  );
  expect(rows).toEqual(body.usage);
}

/** Expects the open work of kind `outbox` to be the entries that the API counts. */
export async function expectSameOutbox(pool: Pool, url: string): Promise<void> {
  const { states, failed } = (await admin<OutboxAnswer>(url, 'outbox')).body;
  const { rows } = await pool.query<{ eventId: string; since: string }>(
    `select event_id as "eventId", since from reporting.open_work where kind = 'outbox'`,
  );
  expect(rows).toHaveLength(Object.values(states).reduce((sum, count) => sum + count, 0));
  expect(rows).toEqual(expect.arrayContaining(failed.map(({ eventId, createdAt }) => ({ eventId, since: createdAt }))));
}

/** Returns the kinds of open work of one event in alphabetical order. */
export async function openKinds(pool: Pool, id: string): Promise<string[]> {
  const { rows } = await pool.query<{ kind: string }>(
    'select kind from reporting.open_work where event_id = $1 order by kind',
    [id],
  );
  return rows.map(({ kind }) => kind);
}

/** Returns unfinished events that open_work does not list. Both views are read in one snapshot. */
export async function unnamedWork(pool: Pool): Promise<object[]> {
  const { rows } = await pool.query<object>(
    `select e.id, e.status from reporting.events e
      where e.status in ('RECEIVED', 'PUBLISHED', 'RETRYING', 'DELIVERING')
        and not exists (select from reporting.open_work w where w.event_id = e.id)`,
  );
  return rows;
}
