import type { Pool } from 'pg';
import { admin as adminRequest, givenCompleted, givenDeadLetters, type ReplayStarted } from '../admin';
import { givenKey, givenOperator } from '../credentials';
import { givenDelivery } from '../deliveries';
import { createdSource } from '../admin-sources';
import { givenDestination } from '../receivers/destinations';

/** A tenant that has something of everything. Its name is in all of it, so that one search finds what leaks. */
export const VICTIM = 'victim-7f3a';
/** A tenant that has little. */
export const STRANGER = 'stranger-19c2';

/** The ids of what belongs to the victim. */
export interface VictimData {
  eventId: string;
  destinationId: string;
  replayId: string;
  actionId: string;
  keyId: string;
  operatorId: string;
  sourceId: string;
  rejectionId: string;
  erasureId: string;
}

export async function givenVictim(url: string, pool: Pool): Promise<VictimData> {
  await pool.query(`insert into tenants (id, name) values ($1, $1), ($2, $2)`, [VICTIM, STRANGER]);
  const [event] = await givenCompleted(pool, 3, VICTIM);
  await givenDeadLetters(pool, 3, { tenantId: VICTIM, message: () => `${VICTIM} broke` });
  await givenCompleted(pool, 1, STRANGER);
  const destination = await givenDestination(url, {
    tenantId: VICTIM,
    url: 'http://127.0.0.1:9/',
    description: VICTIM,
    eventTypes: [`${VICTIM}.*`],
  });
  if (!event) throw new Error('no event was stored');
  await givenDelivery(pool, {
    ...{ eventId: event.id, destinationId: destination.id, tenantId: VICTIM, type: 'order.paid' },
    ...{ status: 'FAILED', lastReasonCode: 'HTTP_5XX', lastStatusCode: 500, lastError: VICTIM },
  });
  const replay = await adminRequest<ReplayStarted>(url, 'replay', {
    tenantId: VICTIM,
    mode: 'republish',
    note: VICTIM,
  });
  const retry = await adminRequest<{ actionId: string }>(url, 'dlq/discard', { tenantId: VICTIM, limit: 1 });
  const key = await givenKey(pool, { tenantId: VICTIM, name: `${VICTIM} till` });
  const operator = await givenOperator(pool, { role: 'viewer', name: `${VICTIM} viewer`, tenantIds: [VICTIM] });
  const source = await createdSource(url, { tenantId: VICTIM, name: VICTIM, uid: VICTIM });
  const rejection = await pool.query<{ id: string }>(
    `insert into rejections (id, tenant_id, source_id, endpoint, code, message, correlation_id, received_at, size_bytes,
                             digest, body)
     values (uuid_v7_floor(now()), $1, $2, 'source', 'invalid-event', $1, $1, now(), 1, '\\x00', '\\x00') returning id`,
    [VICTIM, source.id],
  );
  const erasure = await adminRequest<{ erasureId: string }>(url, 'erasures', {
    tenantId: VICTIM,
    subject: `${VICTIM} nobody`,
    note: VICTIM,
  });
  await pool.query(
    `insert into usage_daily (tenant_id, day, type, events, bytes) values ($1, current_date, 'order.paid', 1, 1)`,
    [VICTIM],
  );
  return {
    eventId: event.id,
    destinationId: destination.id,
    replayId: replay.body.replayId,
    actionId: retry.body.actionId,
    keyId: key.id,
    operatorId: operator.id,
    sourceId: source.id,
    rejectionId: rejection.rows[0]?.id ?? '',
    erasureId: erasure.body.erasureId,
  };
}

/** Fills the path parameters of a route with what belongs to the victim. */
export function victimPath(route: string, data: VictimData): string {
  const id = /^\/v1\/(?:admin\/)?([a-z]+)/.exec(route)?.[1];
  const ids: Record<string, string> = {
    '{tenantId}': VICTIM,
    '{destinationId}': data.destinationId,
    '{replayId}': data.replayId,
    '{actionId}': data.actionId,
    '{erasureId}': data.erasureId,
    '{id}':
      {
        destinations: data.destinationId,
        operators: data.operatorId,
        sources: data.sourceId,
        rejections: data.rejectionId,
        tenants: data.keyId,
      }[id ?? ''] ?? data.eventId,
    '{uid}': VICTIM,
    '{eventType}': 'order.paid',
  };
  return route.replace(/\{\w+\}/g, (name) => ids[name] ?? data.eventId);
}
