import type { OutgoingHttpHeaders } from 'node:http';
import type { Pool } from 'pg';
import { inTransaction } from '../../src/db/pool';
import type { Event } from '../../src/event/event';
import { ADMIN_TOKEN } from './app';
import { call, type Answer } from './e2e-http';
import { givenAttempt, givenEvents, givenState, setEntries } from './rows';

/** Sends a request to /v1/admin with the admin token: a GET, or a POST when there is a body. */
export function admin<T>(
  url: string,
  path: string,
  body?: unknown,
  headers: OutgoingHttpHeaders = {},
): Promise<Answer<T>> {
  const token = { 'x-admin-token': ADMIN_TOKEN, ...headers };
  if (body === undefined) return call<T>(`${url}/v1/admin/${path}`, { headers: token });
  return call<T>(`${url}/v1/admin/${path}`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export interface ReplayStarted {
  accepted: boolean;
  replayId: string;
  mode: string;
  matched: number;
  replayed: number;
  skipped: number;
  dryRun: boolean;
  correlationId: string;
  preview?: {
    wouldReplay: number;
    skippedByReason: Record<string, number>;
    byType: Record<string, number>;
    oldest: string;
    newest: string;
    sampleEventIds: string[];
    more: boolean;
  };
}

export interface ReplayProgress {
  replayId: string;
  status: string;
  matched: number;
  progress: Record<string, number>;
  skippedByReason: Record<string, number>;
}

export interface AuditPage {
  entries: {
    id: string;
    actor: string;
    role: string | null;
    address: string | null;
    action: string;
    filter: object;
    counts: Record<string, number>;
    note: string | null;
    correlationId: string;
  }[];
  nextCursor: string | null;
}

/** Creates events that were published. In one transaction, so that a publisher of the test finds nothing to publish. */
function givenPublished(pool: Pool, ...given: [number, Record<string, unknown>, string]): Promise<Event[]> {
  return inTransaction(pool, async (client) => {
    const db = client as unknown as Pool;
    const events = await givenEvents(db, ...given);
    await setEntries(db, events, 'PUBLISHED');
    return events;
  });
}

/** Creates events that were COMPLETED by their first dispatch. */
export async function givenCompleted(pool: Pool, count: number, tenantId = 'acme'): Promise<Event[]> {
  const events = await givenPublished(pool, count, {}, tenantId);
  for (const event of events) await givenAttempt(pool, event);
  return events;
}

/** Creates events in the DLQ, with their dead letters. */
export async function givenDeadLetters(
  pool: Pool,
  count: number,
  failure: { tenantId?: string; reasonCode?: string; message?: (event: Event) => string; type?: string } = {},
): Promise<Event[]> {
  const { tenantId = 'acme', reasonCode = 'HTTP_5XX', message = () => 'it broke', type = 'order.paid' } = failure;
  const events = await givenPublished(pool, count, { eventType: type }, tenantId);
  for (const event of events) {
    await givenAttempt(pool, event, { status: 'DLQ', reasonCode, errorMessage: message(event) });
    await givenState(pool, event, { status: 'DLQ', lastError: message(event) });
    await pool.query(
      `insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, first_failed_at, last_failed_at)
       values ($1, $2, $3, $4, $5, 1, now(), now())`,
      [event.id, tenantId, type, reasonCode, message(event)],
    );
  }
  return events;
}
