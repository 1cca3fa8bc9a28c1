import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { listAttemptsOf, readEventStatuses } from './event-details.queries';
import { EventsQuery } from './admin-events.requests';
import { EventsPage, type ListedAttempt } from './admin-events.responses';
import { findPage } from './matching-events';

@AdminEndpoint()
@Controller('v1/admin/events')
export class AdminEventsController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listEvents',
    summary: 'Search the events of one tenant or of all tenants, newest first.',
  })
  @ApiOkResponse({ type: EventsPage })
  async list(@Query() query: EventsQuery, @Acting() acting: ActingOperator): Promise<EventsPage> {
    const { events, nextCursor } = await findPage(this.pool, 'events', query, acting);
    const ids = events.map(({ id }) => id);
    const standings = await readEventStatuses(this.pool, ids);
    const attempts = query.attempts ? await this.attemptsOf(ids) : undefined;
    return {
      events: events.map((event) => ({
        ...event,
        nextAttemptAt: standings.get(event.id)?.nextAttemptAt ?? null,
        lastError: standings.get(event.id)?.lastError ?? null,
        publishedAt: standings.get(event.id)?.publishedAt ?? null,
        completedAt: standings.get(event.id)?.completedAt ?? null,
        ...(attempts ? { attempts: attempts.get(event.id) ?? [] } : {}),
      })),
      nextCursor,
    };
  }

  private async attemptsOf(ids: string[]): Promise<Map<string, ListedAttempt[]>> {
    const byEvent = new Map<string, ListedAttempt[]>();
    for (const { eventId, ...attempt } of await listAttemptsOf(this.pool, ids)) {
      const its = byEvent.get(eventId) ?? [];
      its.push(attempt);
      byEvent.set(eventId, its);
    }
    return byEvent;
  }
}
