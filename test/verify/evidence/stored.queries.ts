import { rowsOf } from '../../support/processes/e2e-own-servers';
import { PAST_TENANT } from '../landscape/past';
import { readDeliveries } from './deliveries.queries';
import { readErased, readErasures } from './erasures.queries';
import type {
  Evidence,
  StoredAttempt,
  StoredAudit,
  StoredEntry,
  StoredEvent,
  StoredRejection,
  StoredReplay,
} from './evidence';

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

type Row<T> = T & { eventId: string };

/** Reads all events with everything stored about them. Times are in ms after `startedMs`. */
export async function readStored(
  url: string,
  startedMs: number,
): Promise<Pick<Evidence, 'stored' | 'rejections' | 'replays' | 'audit' | 'erasures'>> {
  const [events, attempts, entries, sendings, effects, deliveries, deadLetters, erased] = await Promise.all([
    readEvents(url),
    readAttempts(url, startedMs),
    readEntries(url, startedMs),
    readReplayEvents(url),
    rowsOf<Row<{ generation: number; handler: string }>>(
      url,
      'select event_id as "eventId", generation, handler from handler_effects',
    ),
    readDeliveries(url, startedMs),
    rowsOf<Row<{ reasonCode: string; resolution: string | null }>>(
      url,
      'select event_id as "eventId", reason_code as "reasonCode", resolution from dead_letters',
    ),
    readErased(url, startedMs),
  ]);
  const of = <T extends { eventId: string }>(rows: T[]): Map<string, T[]> => Map.groupBy(rows, (row) => row.eventId);
  const [attemptsOf, entriesOf, sendingsOf] = [of(attempts), of(entries), of(sendings)];
  const [effectsOf, deliveriesOf, deadLetterOf] = [of(effects), of(deliveries), of(deadLetters)];
  const erasedOf = of(erased);
  const stored = events.map((event) => ({
    ...event,
    attempts: attemptsOf.get(event.id) ?? [],
    entries: entriesOf.get(event.id) ?? [],
    replays: sendingsOf.get(event.id) ?? [],
    effects: effectsOf.get(event.id) ?? [],
    deliveries: deliveriesOf.get(event.id) ?? [],
    deadLetter: deadLetterOf.get(event.id)?.[0],
    erased: erasedOf.get(event.id)?.[0],
  }));
  const [rejections, replays, audit, erasures] = await Promise.all([
    readRejections(url),
    rowsOf<Evidence['replays'][number]>(
      url,
      `select r.id, coalesce(b.status, r.status) as status, r.mode, r.correlation_id as "correlationId"
           from replays r left join backfills b on b.replay_id = r.id`,
    ),
    rowsOf<StoredAudit>(url, 'select action, correlation_id as "correlationId", counts from admin_audit'),
    readErasures(url),
  ]);
  return { stored, rejections, replays, audit, erasures };
}

type Fact = Omit<StoredEvent, 'attempts' | 'entries' | 'replays' | 'effects' | 'deliveries' | 'deadLetter' | 'erased'>;

/** Distinct, because the view returns an event twice if it has two successes. */
async function readEvents(url: string): Promise<Fact[]> {
  const rows = await rowsOf<Omit<Fact, 'rawBody'> & { rawBody: Buffer | null }>(
    url,
    `select distinct on (e.id) e.id, e.tenant_id as tenant, e.subject as name, e.type, e.size_bytes as "sizeBytes",
            e.partition_key as "partitionKey", e.outbox_id::float8 as position,
            to_char(e.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "receivedAt",
            e.correlation_id as "correlationId", v.status, coalesce(s.generation, 1) as generation,
            e.source_id as "sourceId",
            case when r.id is not null then coalesce(r.body, convert_to(e.payload::text, 'UTF8')) end as "rawBody"
       from events e join event_status v on v.event_id = e.id left join event_state s on s.event_id = e.id
            left join received_requests r on r.id = e.request_id and r.source_id = e.source_id
      where e.tenant_id <> '${PAST_TENANT}'`,
  );
  // Not converted by PostgreSQL, which refuses a body that was cut inside a character.
  return rows.map((row) => ({ ...row, rawBody: row.rawBody?.toString() ?? null }));
}

async function readRejections(url: string): Promise<StoredRejection[]> {
  const rows = await rowsOf<Omit<StoredRejection, 'body'> & { body: Buffer }>(
    url,
    `select tenant_id as tenant, source_id as "sourceId", event_type as type, code, record_number as "recordNumber", correlation_id as "correlationId",
            size_bytes as "sizeBytes", encode(digest, 'hex') as digest, body,
            erased_at is not null as "isErased"
       from rejections`,
  );
  return rows.map((row) => ({ ...row, body: row.body.toString() }));
}

function readAttempts(url: string, startedMs: number): Promise<Row<StoredAttempt>[]> {
  return rowsOf<Row<StoredAttempt>>(
    url,
    `select event_id as "eventId", generation, dispatch_no as "dispatchNo", attempt_number as "attemptNumber", status,
            reason_code as "reasonCode", exhausted, error_message as message, worker, ${ms('created_at')} - $1::float8 as "atMs"
       from processing_attempts order by event_id, dispatch_no, attempt_number`,
    [startedMs],
  );
}

function readEntries(url: string, startedMs: number): Promise<Row<StoredEntry>[]> {
  return rowsOf<Row<StoredEntry>>(
    url,
    `select event_id as "eventId", id, destination, dispatch_no as "dispatchNo",
            abs(generation) as generation, status, ${ms('created_at')} - $1::float8 as "createdMs", ${ms('closed_at')} - $1::float8 as "closedMs"
       from outbox order by id`,
    [startedMs],
  );
}

function readReplayEvents(url: string): Promise<Row<StoredReplay>[]> {
  return rowsOf<Row<StoredReplay>>(
    url,
    `select e.event_id as "eventId", e.replay_id as "replayId", r.mode, e.outcome, e.dispatch_no as "dispatchNo"
       from replay_events e join replays r on r.id = e.replay_id`,
  );
}
