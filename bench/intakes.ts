import type { Pool, PoolClient } from 'pg';
import type { PreparedEvent } from '../src/event/prepare-event.js';
import type { Intake } from '../src/ingest/store/intake.js';
import type * as StoreBatchModule from '../src/ingest/store/store-batch.js';
import type * as PoolModule from '../src/db/pool.js';
import { compiled } from '#bench/compiled';

const { committedFacts } = compiled<typeof StoreBatchModule>('ingest/store/store-batch');
const { inTransaction } = compiled<typeof PoolModule>('db/pool');

/** (a) Accepts everything without writing: the cost of HTTP, parsing and hashing. */
export function writeNothing(intake: Intake): void {
  const accept = (prepared: PreparedEvent) => ({
    kind: 'accepted' as const,
    committed: committedFacts(prepared, null),
  });
  intake.accept = (prepared) => Promise.resolve(accept(prepared));
  intake.acceptAll = (events) => Promise.resolve({ results: events.map(accept) });
}

/** (b) A transaction for each request, with one statement for each table. For new events only. */
export function writeOneByOne(intake: Intake, pool: Pool): void {
  intake.accept = async (prepared) => {
    await inTransaction(pool, (client) => insertThree(client, prepared));
    return { kind: 'accepted', committed: committedFacts(prepared, null) };
  };
}

async function insertThree(client: PoolClient, { event, keyDigest, fingerprint }: PreparedEvent): Promise<void> {
  const { rowCount } = await client.query({
    name: 'bench-key',
    text: `insert into idempotency_keys (digest, event_id, fingerprint)
           values (decode($1, 'hex'), $2, decode($3, 'hex')) on conflict do nothing`,
    values: [keyDigest, event.id, fingerprint],
  });
  if (rowCount !== 1) throw new Error('This intake supports new events only.');
  const { rows } = await client.query<{ id: string }>({
    name: 'bench-outbox',
    text: `insert into outbox (event_id, destination) values ($1, 'main') returning id`,
    values: [event.id],
  });
  await client.query({
    name: 'bench-event',
    text: `insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                               partition_key, source, schema_version, spec_version, correlation_id, traceparent, hash,
                               payload)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, decode($16, 'hex'), $17)`,
    values: [
      ...[event.id, rows[0]?.id, event.occurredAt, event.receivedAt, event.sizeBytes, event.tenantId, event.eventId],
      ...[event.type, event.subject, event.partitionKey, event.source, event.schemaVersion, event.specVersion],
      ...[event.correlationId, event.traceparent ?? null, event.hash, event.payloadJson],
    ],
  });
}
