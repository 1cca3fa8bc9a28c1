import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { classifyPgError } from '../db/pg-errors';
import { eventJson } from '../event/event';
import { Problem } from '../event/problems';
import { isUuid } from '../event/uuid-v7';
import { findEventByEventId, findEventById, listAttempts, listReplays } from './event-reader.queries';

/** Reads one event back, with the payload exactly as it was sent, its status and its attempts. */
@Injectable()
export class EventReader {
  constructor(@Inject(Pool) private readonly pool: Pool) {}

  /**
   * JSON text, or undefined when this tenant has no such event; another tenant's looks just like an absent one.
   * Without a tenant (operators) only the id names an event, since two tenants may use one eventId.
   */
  async read(tenantId: string | undefined, idOrEventId: string): Promise<string | undefined> {
    try {
      return await this.find(tenantId, idOrEventId);
    } catch (error) {
      if (classifyPgError(error) !== 'unavailable') throw error;
      throw new Problem('storage-unavailable', 'The event cannot be read just now.', { retryAfterSeconds: 2 });
    }
  }

  private async find(tenantId: string | undefined, idOrEventId: string): Promise<string | undefined> {
    if (idOrEventId.includes('\0')) return undefined; // PostgreSQL refuses the question itself
    const byId = isUuid(idOrEventId) ? await findEventById(this.pool, tenantId, idOrEventId) : undefined;
    const event = byId ?? (tenantId && (await findEventByEventId(this.pool, tenantId, idOrEventId)));
    if (!event) return undefined;
    const attempts = await listAttempts(this.pool, event.id);
    const replays = await listReplays(this.pool, event.id);
    const { status, nextAttemptAt, lastError, publishedAt, completedAt, ...fact } = event;
    const standing = { status, attempts, nextAttemptAt, lastError, publishedAt, completedAt };
    return eventJson(fact, replays.length > 0 ? { ...standing, replays } : standing);
  }
}
