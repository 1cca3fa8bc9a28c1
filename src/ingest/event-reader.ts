import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { redactResponse } from '../access/redaction/redact-response';
import { redacted } from '../access/redaction/redacted';
import { Redaction } from '../access/redaction/redaction';
import type { Reader } from '../access/tenant.guard';
import { storageProblem } from '../db/outages';
import { onOneConnection, type Db } from '../db/pool';
import { eventJson, eventJsonWithoutPayload } from '../event/event';
import { parseUuid } from '../event/uuid-v7';
import {
  findEventByEventId,
  findEventById,
  findVerification,
  listAttempts,
  listEventsByEventId,
  listReplaysOfEvent,
  type EventIdQuery,
  type EventWithStatus,
  type OtherEvent,
  type EventVerification,
} from './event-reader.queries';
import type { Revision } from '../revisions/revision';
import { revisionsJson } from '../revisions/revision-json';
import { listRevisions } from '../revisions/revisions.queries';
import { listDeliveriesOf } from './deliveries-of-event.queries';
import { tenantOfEventId } from './tenant-of-event-id';

/** Maximum number of further events with the same eventId that a response names. */
const MAX_OTHERS = 100;

/** Which event to read. */
export interface EventQuery {
  reader: Reader;
  idOrEventId: string;
  /** Only an event with this `source`. */
  source: string | undefined;
}

/** Reads one event with its original payload, its status, the attempts of its handlers and its deliveries. */
@Injectable()
export class EventReader {
  constructor(
    private readonly pool: Pool,
    private readonly redaction: Redaction,
  ) {}

  /**
   * Returns the event as JSON text, or undefined when there is none that the reader may see. Without a tenant
   * (operators), an eventId is accepted if only one of the reader's tenants uses it. When several events have the
   * eventId, the newest is returned, and `others` names the rest. A reader who sees no payloads gets `payloadHidden`.
   * @throws Problem `storage-unavailable`, `event-id-ambiguous` or `tenant-required`
   */
  async read(query: EventQuery): Promise<string | undefined> {
    try {
      return await onOneConnection(this.pool, async (db) => {
        const found = await find(db, query);
        if (!found) return undefined;
        const { event } = found;
        const verified = event.requestId === null ? undefined : await findVerification(db, event);
        const revisions = event.revision === null ? [] : await listRevisions(db, event.id);
        const { operator } = query.reader;
        const hidden = operator ? this.redaction.pointersFor(operator, event.tenantId) : [];
        return toJson(found, verified ?? null, revisions, query.reader, hidden);
      });
    } catch (error) {
      throw (
        storageProblem(error, 'The event cannot be read because the database is unavailable. Try again later.') ?? error
      );
    }
  }
}

interface FoundEvent {
  event: EventWithStatus;
  history: Awaited<ReturnType<typeof readHistory>>;
  others: OtherEvent[];
}

async function find(db: Db, { reader, idOrEventId, source }: EventQuery): Promise<FoundEvent | undefined> {
  if (idOrEventId.includes('\0') || source?.includes('\0')) return undefined; // PostgreSQL rejects such a text
  const id = parseUuid(idOrEventId);
  if (id !== undefined) {
    const [event, history] = await Promise.all([findEventById(db, reader, id), readHistory(db, id)]);
    if (event && (source === undefined || event.source === source)) return { event, history, others: [] };
  }
  const tenant = reader.tenantId ?? (await tenantOfEventId(db, { eventId: idOrEventId, source }, reader.tenantIds));
  return tenant === undefined ? undefined : findNewest(db, { tenantId: tenant, eventId: idOrEventId, source });
}

async function findNewest(db: Db, query: EventIdQuery): Promise<FoundEvent | undefined> {
  const [event, all] = await Promise.all([
    findEventByEventId(db, query),
    listEventsByEventId(db, query, MAX_OTHERS + 1),
  ]);
  if (!event) return undefined;
  const others = all.filter(({ id }) => id !== event.id).slice(0, MAX_OTHERS);
  return { event, history: await readHistory(db, event.id), others };
}

function toJson(
  { event, history: { attempts, deliveries, replays }, others }: FoundEvent,
  verified: EventVerification | null,
  revisions: readonly Revision[],
  { seesPayloads, operator }: Reader,
  hidden: readonly string[],
): string {
  const {
    status,
    nextAttemptAt,
    lastError,
    publishedAt,
    completedAt,
    erasedAt,
    requestId: _request,
    revision: _newest,
    ...fact
  } = event;
  const standing = { status, attempts, deliveries, nextAttemptAt, lastError, publishedAt, completedAt, verified };
  const write = seesPayloads ? eventJson : eventJsonWithoutPayload;
  const payloadJson = redacted(fact.payloadJson, hidden);
  const text = write(
    { ...fact, payloadJson },
    {
      ...(hidden.length > 0 ? (redactResponse(standing, () => true) as object) : standing),
      ...(erasedAt === null ? {} : { erasedAt }),
      ...(replays.length > 0 ? { replays } : {}),
      ...(others.length > 0 ? { others } : {}),
    },
  );
  const shown = revisions.map((one) => ({ ...one, payloadJson: redacted(one.payloadJson, hidden) }));
  const sight = { payloads: seesPayloads, operators: operator !== undefined };
  return `${text.slice(0, -1)},"revisions":${revisionsJson(payloadJson, shown, sight)}}`;
}

async function readHistory(db: Db, eventId: string) {
  const [attempts, deliveries, replays] = await Promise.all([
    listAttempts(db, eventId),
    listDeliveriesOf(db, eventId),
    listReplaysOfEvent(db, eventId),
  ]);
  return { attempts, deliveries, replays };
}
