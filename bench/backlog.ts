import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type * as Queries from '../src/ingest/store/store-batch.queries.js';
import { compiled } from '#bench/compiled';
import { preparedEvents } from '#bench/prepared-events';

const { storeEvents } = compiled<typeof Queries>('ingest/store/store-batch.queries');

const BATCH = 500;
/** Events per statement. The statement holds them in memory. */
const COMPLETED_AT_ONCE = 100_000;
/** Long, because a query takes time of the measured database. Rates come from the clock of the database. */
const POLL_MS = 1_000;
const GIVE_UP_MS = 120_000;

/** A database with an outbox that the bench fills and watches. */
export class Backlog {
  private readonly db: Client;
  private runs = 0;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
    this.db = new Client({ connectionString: url, options: '-c timezone=UTC' });
  }

  async open(): Promise<this> {
    await this.db.connect();
    return this;
  }

  close(): Promise<void> {
    return this.db.end();
  }

  /** Stores events as the batch writer does, without publishing them. Returns the highest outbox id before them. */
  async add(count: number): Promise<string> {
    const source = { type: 'order.paid', run: `backlog-${this.runs++}` };
    const { rows } = await this.db.query<{ id: string }>('select coalesce(max(id), 0) as id from outbox');
    for (let n = 0; n < count; n += BATCH) {
      await storeEvents(this.db, preparedEvents('backlog', source, n, Math.min(BATCH, count - n)));
    }
    await this.db.query('checkpoint').catch(() => undefined); // may be forbidden; a checkpoint can then fall into the measurement
    return rows[0]?.id ?? '0';
  }

  /** Deletes all events. */
  async empty(): Promise<void> {
    await this.db.query('truncate events, idempotency_keys, outbox, processing_attempts, usage_daily');
  }

  /** Adds completed events with their keys, entries and attempts. */
  async addCompleted(count: number): Promise<void> {
    for (let left = count; left > 0; left -= COMPLETED_AT_ONCE) {
      await this.db.query(
        `with made as materialized (
           select gen_random_uuid() as random, nextval('outbox_id_seq') as outbox_id from generate_series(1, $1::integer)
         ), ids as materialized (
           select outbox_id, random, sha256(random::text::bytea) as digest,
                  overlay(random::text placing left(uuid_v7_floor(now())::text, 13) from 1 for 13)::uuid as id from made
         ), stored as (
           insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                               partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
           select id, outbox_id, now(), now(), 600, 'old', id::text, 'order.paid', random::text, random::text, 'api',
                  '1.0.0', '1.0', random::text, digest, json_build_object('text', repeat('x', 400)) from ids order by ids.id
         ), keys as (
           insert into idempotency_keys (digest, event_id, fingerprint) select digest, id, digest from ids order by ids.digest
         ), attempts as (
           insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code,
                                            duration_ms, worker)
           select id, 1, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'bench' from ids order by ids.id
         )
         insert into outbox (id, event_id, destination, status, closed_at)
         select outbox_id, id, 'main', 'PUBLISHED', now() from ids order by outbox_id`,
        [Math.min(left, COMPLETED_AT_ONCE)],
      );
    }
    await this.db.query('vacuum analyze');
    await this.db.query('checkpoint').catch(() => undefined);
  }

  /** The number of entries published since `afterId`, and the time from the first claim to the last close. */
  async published(afterId: string): Promise<{ entries: number; seconds: number }> {
    const { rows } = await this.db.query<{ entries: number; seconds: number }>(
      `select count(*)::integer as entries,
              extract(epoch from max(closed_at) - min(lock_acquired_at))::float8 as seconds
         from outbox where id > $1 and status = 'PUBLISHED'`,
      [afterId],
    );
    return rows[0] ?? { entries: 0, seconds: 0 };
  }

  /** The number of events completed since `afterId`, and the time from the first claim to the last attempt. */
  async completed(afterId: string): Promise<{ entries: number; seconds: number }> {
    const { rows } = await this.db.query<{ entries: number; seconds: number }>(
      `select count(a.event_id)::integer as entries,
              extract(epoch from max(a.created_at) - min(o.lock_acquired_at))::float8 as seconds
         from outbox o left join processing_attempts a on a.event_id = o.event_id and a.status = 'SUCCESS'
        where o.id > $1`,
      [afterId],
    );
    return rows[0] ?? { entries: 0, seconds: 0 };
  }

  async openEntries(): Promise<number> {
    const { rows } = await this.db.query<{ n: number }>(
      'select count(*)::integer as n from outbox where closed_at is null',
    );
    return rows[0]?.n ?? 0;
  }

  /** The size of the whole database. */
  async bytes(): Promise<number> {
    const { rows } = await this.db.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
    return Number(rows[0]?.bytes);
  }

  /** The WAL written so far, in bytes. */
  async logBytes(): Promise<number> {
    const { rows } = await this.db.query<{ bytes: string }>(
      `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes`,
    );
    return Number(rows[0]?.bytes);
  }

  /** Reads the usage meter, which counts each event once. Counting the attempts took a tenth of a core. */
  async counted(): Promise<number> {
    const { rows } = await this.db.query<{ n: number }>(
      'select coalesce(sum(events), 0)::integer as n from usage_daily',
    );
    return rows[0]?.n ?? 0;
  }
}

/** Waits until the condition holds. */
export async function until(reached: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + GIVE_UP_MS; !(await reached()); await sleep(POLL_MS)) {
    if (performance.now() > endMs) throw new Error('The backlog was not worked off in time.');
  }
}
