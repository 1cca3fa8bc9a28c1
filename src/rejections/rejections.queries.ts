import { hash } from 'node:crypto';
import { largestSourceBody } from '../config/largest-source-body';
import type { Db } from '../db/pool';
import type { NewRejection, Rejection } from './rejection';

/** PostgreSQL stores no U+0000, and what was refused may have one in its key or in the name of a member. */
const storable = (text: string | null): string | null => text?.replaceAll('\0', '\ufffd') ?? null;

/** A record of a stream may be longer than the column `size_bytes` can say. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Stores rejections with the SHA-256 of all bytes of each, and as many of the bytes as the limits allow: `maxEventBytes`
 * of an event, and all of a request to a source.
 */
export async function insertRejections(
  db: Db,
  rejections: readonly NewRejection[],
  maxEventBytes: number,
): Promise<void> {
  const maxBytes = { event: maxEventBytes, stream: maxEventBytes, source: largestSourceBody(maxEventBytes) };
  const column = <T>(pick: (rejection: NewRejection) => T): T[] => rejections.map(pick);
  await db.query({
    name: 'insert-rejections',
    text: `
      insert into rejections (id, tenant_id, source_id, endpoint, code, pointer, message, record_number, request_key,
                              conflicts_with, correlation_id, received_at, content_type, size_bytes, digest, request,
                              body, event_type, format)
      select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                           $8::integer[], $9::text[], $10::uuid[], $11::text[], $12::timestamptz[], $13::text[],
                           $14::integer[], $15::bytea[], $16::json[], $17::bytea[], $18::text[], $19::text[])`,
    values: [
      column(({ id }) => id),
      column(({ tenantId }) => tenantId),
      column(({ sourceId }) => sourceId),
      column(({ endpoint }) => endpoint),
      column(({ code }) => code),
      column(({ pointer }) => storable(pointer)),
      column(({ message }) => storable(message)),
      column(({ recordNumber }) => recordNumber),
      column(({ requestKey }) => storable(requestKey)),
      column(({ conflictsWith }) => conflictsWith),
      column(({ correlationId }) => correlationId),
      column(({ receivedAt }) => receivedAt),
      column(({ contentType }) => contentType),
      column(({ sizeBytes }) => Math.min(sizeBytes, MAX_INTEGER)),
      column(({ body, digest }) => digest ?? hash('sha256', body, 'buffer')),
      column(({ requestJson }) => requestJson),
      column(({ endpoint, body }) => body.subarray(0, maxBytes[endpoint])),
      column(({ eventType }) => storable(eventType)),
      column(({ format }) => format),
    ],
  });
}

/** The columns of a Rejection. */
export const REJECTION_COLUMNS = `
  id, tenant_id as "tenantId", source_id as "sourceId", endpoint, coalesce(format, 'source') as format, code, pointer,
  message, event_type as "eventType", record_number as "recordNumber", request_key as "requestKey", conflicts_with as "conflictsWith",
  correlation_id as "correlationId", received_at as "receivedAt", content_type as "contentType",
  size_bytes as "sizeBytes", status, settled_at as "settledAt", event_id as "eventId", duplicate,
  erased_at as "erasedAt"`;

/** A rejection with what is kept of its bytes. */
export interface KeptRejection extends Rejection {
  body: Buffer;
  /** SHA-256 of all bytes, in hex. */
  digest: string;
  /** The request without its body, as JSON text. Null if retention has removed the rejection that it is kept with. */
  requestJson: string | null;
}

/**
 * The request is kept with the first rejection that it led to, and found there for the others. The search goes up from the
 * time of the request: down from a rejection, it would pass all those of the same request before it.
 */
const SELECT_KEPT = `
  select ${REJECTION_COLUMNS}, body, encode(digest, 'hex') as digest,
         coalesce(request, (
           select first.request from rejections first
            where first.tenant_id = r.tenant_id and first.id < r.id and first.id >= uuid_v7_floor(r.received_at)
              and first.source_id = r.source_id and first.correlation_id = r.correlation_id
              and first.received_at = r.received_at and first.request is not null
            order by first.id limit 1))::text as "requestJson"
    from rejections r`;

export async function findRejection(
  db: Db,
  id: string,
  tenantIds: readonly string[] | null,
): Promise<KeptRejection | undefined> {
  const { rows } = await db.query<KeptRejection>(
    `${SELECT_KEPT} where id = $1 and ($2::text[] is null or tenant_id = any ($2))`,
    [id, tenantIds],
  );
  return rows[0];
}

/** Reads rejections with their bytes, oldest first. */
export async function readRejections(db: Db, ids: readonly string[]): Promise<KeptRejection[]> {
  const { rows } = await db.query<KeptRejection>(`${SELECT_KEPT} where id = any ($1::uuid[]) order by id`, [ids]);
  return rows;
}
