import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { classifyPgError } from '../db/pg-errors';
import { onOneConnection, type Db } from '../db/pool';
import { eventJson } from '../event/event';
import { Problem } from '../event/problems';
import { parseUuid } from '../event/uuid-v7';
import { findEventByEventId, findEventById, listAttempts, listReplaysOfEvent } from './event-reader.queries';

/** Reads one event with its original payload, its status and its attempts. */
@Injectable()
export class EventReader {
  constructor(private readonly pool: Pool) {}

  /**
   * Returns the event as JSON text, or undefined when the tenant has no such event; an event of another tenant is
   * treated as missing. Without a tenant (operators), only the id is accepted: two tenants may use the same eventId.
   * @throws Problem `storage-unavailable`
   */
  async read(tenantId: string | undefined, idOrEventId: string): Promise<string | undefined> {
    try {
      return await this.find(tenantId, idOrEventId);
    } catch (error) {
      if (classifyPgError(error) !== 'unavailable') throw error;
      throw new Problem(
        'storage-unavailable',
        'The event cannot be read because the database is unavailable. Try again later.',
        { retryAfterSeconds: 2 },
      );
    }
  }

  private async find(tenantId: string | undefined, idOrEventId: string): Promise<string | undefined> {
    if (idOrEventId.includes('\0')) return undefined; // PostgreSQL rejects a text that contains U+0000
    const found = await onOneConnection(this.pool, async (db) => {
      const id = parseUuid(idOrEventId);
      if (id !== undefined) {
        const [event, history] = await Promise.all([findEventById(db, tenantId, id), readHistory(db, id)]);
        if (event) return { event, history };
      }
      const event = tenantId === undefined ? undefined : await findEventByEventId(db, tenantId, idOrEventId);
      return event && { event, history: await readHistory(db, event.id) };
    });
    if (!found) return undefined;
    const { attempts, replays } = found.history;
    const { status, nextAttemptAt, lastError, publishedAt, completedAt, ...fact } = found.event;
    const standing = { status, attempts, nextAttemptAt, lastError, publishedAt, completedAt };
    return eventJson(fact, replays.length > 0 ? { ...standing, replays } : standing);
  }
}

async function readHistory(db: Db, eventId: string) {
  const [attempts, replays] = await Promise.all([listAttempts(db, eventId), listReplaysOfEvent(db, eventId)]);
  return { attempts, replays };
}
