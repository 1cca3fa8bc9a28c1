import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Acting, actingOperator, tenantsCovered, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { OperatorAccess } from '../../access/operator-access';
import { Problem } from '../../event/problems';
import { preferredType } from '../../http/accept';
import { ApiProblems } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { typeCriteriaOf } from '../events/event-criteria';
import type { LiveFilter } from './live-event';
import { LiveFeed } from './live-feed';
import { LiveQuery } from './live.requests';

const EVENT_STREAM = 'text/event-stream';
/** How often a connection without news is used. */
const BEAT_MS = 15_000;

@AdminEndpoint()
@Controller('v1/admin/live')
export class LiveController {
  constructor(
    private readonly feed: LiveFeed,
    private readonly access: OperatorAccess,
  ) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listLiveEvents',
    summary: 'Watch events as they come, as server-sent events.',
    description:
      'Send `Accept: text/event-stream`. After `ready`, `events` has new events of all processes, oldest first, about half a second ' +
      'after they were stored: `{ events: [{ id, eventId, tenantId, type, subject, source, sourceId, correlationId, ' +
      'receivedAt, sizeBytes, status }] }`. `statuses` has changes of their status during the first minute: ' +
      '`{ statuses: [{ id, status }] }`; the status is null when the event is no longer followed, because more came. ' +
      '`dropped` says that events were left out, because more came than are shown or the client reads too slowly: ' +
      '`{ count }`, which is null when it is not known how many of them the client would have seen. `end` is a problem, ' +
      'before the connection is closed, for instance when the operator was revoked. A comment every ' +
      '15 seconds shows that the connection works. An event may come twice. For a complete list, use ' +
      '`GET /v1/admin/events`.',
  })
  @ApiOkResponse({
    description: 'The events. The response does not end by itself',
    content: { [EVENT_STREAM]: { schema: { type: 'string' } } },
  })
  @ApiProblems('not-acceptable', 'overloaded')
  watch(
    @Query() query: LiveQuery,
    @Acting() acting: ActingOperator,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    refuseOthers(request.headers.accept);
    const watcher = this.feed.watch(filterOf(query, acting), request.id, () => this.wantedNow(query, request));
    const timer = setInterval(() => watcher.beat(), BEAT_MS);
    watcher.once('close', () => clearInterval(timer));
    reply.raw.once('close', () => watcher.destroy()); // also after a HEAD request
    reply.type(`${EVENT_STREAM}; charset=utf-8`).header('X-Accel-Buffering', 'no').send(watcher);
  }

  /**
   * Returns what the operator may see of the query as of now. Operators are in memory, so that each look can ask.
   * @throws Problem when the operator was revoked or no longer has the role, or the error of PostgreSQL
   */
  private async wantedNow(query: LiveQuery, request: FastifyRequest): Promise<LiveFilter> {
    await this.access.checkAgain(request);
    return filterOf(query, actingOperator(request));
  }
}

/** A client that sends no Accept waits for the end of the response, which never comes. @throws Problem `not-acceptable` */
function refuseOthers(accept: string | undefined): void {
  if (accept === undefined) throw new Problem('not-acceptable', `Send Accept: ${EVENT_STREAM}.`);
  preferredType(accept, [EVENT_STREAM]);
}

function filterOf({ tenantId, type, source, sourceId, text }: LiveQuery, acting: ActingOperator): LiveFilter {
  return {
    tenantIds: tenantsCovered(acting, tenantId),
    ...typeCriteriaOf(type),
    source: source ?? null,
    sourceId: sourceId?.toLowerCase() ?? null,
    text: text?.toLowerCase() ?? null,
  };
}
