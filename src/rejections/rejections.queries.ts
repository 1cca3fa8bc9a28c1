import { hash } from 'node:crypto';
import { largestSourceBody } from '../config/largest-source-body';
import type { Db } from '../db/pool';
import type { NewRejection, Rejection } from './rejection';

/** PostgreSQL stores no U+0000 and no lone surrogate. A key or the name of a member that was refused may have them. */
const storable = (text: string | null): string | null => text?.replaceAll('\0', '\ufffd').toWellFormed() ?? null;

/** A record of a stream may be longer than the column `size_bytes` can say. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Stores rejections with the SHA-256 of all bytes of each, and as many of the bytes as the limits allow: `maxEventBytes`
 * of an event, and all of a request to a source. The rows are sent as one JSON text and their bytes as one binary value,
 * of which each row takes its part: pg writes arrays and hex element by element, which took half as long again.
 */
export async function insertRejections(
  db: Db,
  rejections: readonly NewRejection[],
  maxEventBytes: number,
): Promise<void> {
  const maxBytes = { event: maxEventBytes, stream: maxEventBytes, source: largestSourceBody(maxEventBytes) };
  const bodies = rejections.map(({ endpoint, body }) => body.subarray(0, maxBytes[endpoint]));
  const digests = rejections.map(({ body, digest }) => digest ?? hash('sha256', body, 'buffer'));
  let bodyStart = 1; // substr counts from 1
  const rows = rejections.map((rejection, number) => {
    const bodyLength = bodies[number]?.length ?? 0;
    const row = { ...columnsOf(rejection), number, body_start: bodyStart, body_length: bodyLength };
    bodyStart += bodyLength;
    return row;
  });
  await db.query({
    name: 'insert-rejections',
    text: `
      insert into rejections (id, tenant_id, source_id, endpoint, code, pointer, message, record_number, request_key,
                              conflicts_with, correlation_id, received_at, content_type, size_bytes, digest, request,
                              body, event_type, format)
      select id, tenant_id, source_id, endpoint, code, pointer, message, record_number, request_key, conflicts_with,
             correlation_id, received_at, content_type, size_bytes, substr($2::bytea, number * 32 + 1, 32),
             request::json, substr($3::bytea, body_start, body_length), event_type, format
        from json_to_recordset($1::json) as r (
               id uuid, tenant_id text, source_id uuid, endpoint text, code text, pointer text, message text,
               record_number integer, request_key text, conflicts_with uuid, correlation_id text,
               received_at timestamptz, content_type text, size_bytes integer, request text, event_type text,
               format text, number integer, body_start integer, body_length integer)`,
    values: [JSON.stringify(rows), Buffer.concat(digests), Buffer.concat(bodies)],
  });
}

function columnsOf(rejection: NewRejection): Record<string, string | number | null> {
  const { pointer, message, requestKey, sizeBytes, eventType } = rejection;
  return {
    id: rejection.id,
    tenant_id: rejection.tenantId,
    source_id: rejection.sourceId,
    endpoint: rejection.endpoint,
    code: rejection.code,
    pointer: storable(pointer),
    message: storable(message),
    record_number: rejection.recordNumber,
    request_key: storable(requestKey),
    conflicts_with: rejection.conflictsWith,
    correlation_id: rejection.correlationId,
    received_at: rejection.receivedAt,
    content_type: rejection.contentType,
    size_bytes: Math.min(sizeBytes, MAX_INTEGER),
    request: rejection.requestJson,
    event_type: storable(eventType),
    format: rejection.format,
  };
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
