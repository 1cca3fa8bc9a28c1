import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { ALL_TENANTS } from '../../src/access/tenant-scope';
import { MetricReader, type MeasuredSeries } from '../../src/admin/metrics/metric-reader';
import type { MetricCriteria } from '../../src/admin/metrics/metrics.queries';
import { uuidV7 } from '../../src/event/uuid-v7';
import type { MetricRollup } from '../../src/metric-rollup/metric-rollup';

const MINUTE_MS = 60_000;

/** A minute that began some minutes ago. */
export const minutesAgo = (minutes: number): number =>
  Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - minutes * MINUTE_MS;

/** Stores an event as if it had been received at `atMs`. Returns its id. */
export async function givenEventAt(
  pool: Pool,
  atMs: number,
  { tenantId = 'acme', type = 'order.paid', sourceId = null as string | null } = {},
): Promise<string> {
  const id = uuidV7(atMs);
  await pool.query(
    `insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject, partition_key,
                         source, schema_version, spec_version, correlation_id, hash, payload, source_id)
     values ($1::uuid, nextval('outbox_id_seq'), $2, $2, 1, $3, $1::text, $4, 's', 's', 'api', '1', '1.0', 'c', '\\x00', '{}', $5)`,
    [id, instantOf(atMs), tenantId, type, sourceId],
  );
  return id;
}

/** The handlers of an event succeed. */
export async function givenSuccessAt(pool: Pool, eventId: string, atMs: number, generation = 1): Promise<void> {
  await pool.query(
    `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                      worker, created_at)
     values ($1, $2, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'test', $3)`,
    [eventId, generation, instantOf(atMs)],
  );
}

export interface GivenDelivery {
  destinationId?: string;
  generation?: number;
  replayId?: string | null;
  status?: string;
  createdMs: number;
  settledMs?: number;
}

/** Records a delivery with the attempt that settled it, if it is settled. Returns the destination. */
export async function givenDeliveryAt(pool: Pool, eventId: string, delivery: GivenDelivery): Promise<string> {
  const { destinationId = randomUUID(), generation = 1, replayId = null, status = 'DELIVERED' } = delivery;
  const settledAt = delivery.settledMs === undefined ? null : instantOf(delivery.settledMs);
  const key = [eventId, destinationId, generation];
  await pool.query(
    `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, created_at, settled_at, failed_at,
                             replay_id)
     select $1, $2, $3, tenant_id, type, $4, $5, $6, case when $4 = 'FAILED' then $6::timestamptz end, $7
       from events where id = $1`,
    [...key, status, instantOf(delivery.createdMs), settledAt, replayId],
  );
  if (settledAt !== null && status !== 'SKIPPED') {
    await givenDeliveryAttempt(pool, key, { at: settledAt, isDelivered: status === 'DELIVERED' });
  }
  return destinationId;
}

async function givenDeliveryAttempt(
  pool: Pool,
  key: readonly unknown[],
  { at, isDelivered }: { at: string; isDelivered: boolean },
): Promise<void> {
  await pool.query(
    `insert into delivery_attempts (event_id, destination_id, generation, attempt_number, at, reason_code, duration_ms, worker,
                                    failed)
     values ($1, $2, $3, 1, $4, $5, 1, 'test', $6)`,
    [...key, at, isDelivered ? 'PROCESSED' : 'HTTP_5XX', !isDelivered],
  );
}

/** Lets the roll-up begin at `atMs`. */
export async function rollUpFrom(pool: Pool, atMs: number): Promise<void> {
  await pool.query(
    `insert into chore_progress (name, position) values ('metric-rollup', $1)
     on conflict (name) do update set position = excluded.position`,
    [atMs / 1_000],
  );
}

/** Rolls up until no slice is due. */
export async function rollUpAll(rollup: MetricRollup): Promise<void> {
  for (let waitMs = 0; waitMs <= 100;) {
    const next = await rollup.runOnce();
    waitMs = next === 'elsewhere' ? 0 : next;
  }
}

export type Asked = Pick<MetricCriteria, 'measure' | 'dimension'> & Partial<MetricCriteria> & { quantile?: number };

/** Reads a measure in minutes. */
export async function measured(pool: Pool, { quantile = 0.95, ...asked }: Asked): Promise<MeasuredSeries> {
  const fromMs = minutesAgo(60);
  const range = { fromMs, toMs: fromMs + 62 * MINUTE_MS, stepSeconds: 60 };
  return new MetricReader(pool).read({ ...ALL_TENANTS, ...range, limit: 20, ...asked }, quantile);
}

/** The total of each key. */
export async function totalsOf(pool: Pool, asked: Asked): Promise<Record<string, number | null>> {
  const { series } = await measured(pool, asked);
  return Object.fromEntries(series.map(({ key, total }) => [key ?? 'none', total]));
}

const instantOf = (ms: number): string => new Date(ms).toISOString();
