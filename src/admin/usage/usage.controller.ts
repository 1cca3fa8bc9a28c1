import { Readable } from 'node:stream';
import { Controller, Get, Headers, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Pool } from 'pg';
import { parseInstant } from '../../event/instant';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { preferredType } from '../../http/accept';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { damagedCursor, decodeKeyCursor, encodeKeyCursor } from '../endpoint/paging';
import { scopeOf } from '../../access/tenant-scope';
import { firstDayOf, lastDayOf } from './usage-days';
import { usageCsv } from './usage-csv';
import { readUsage, type UsageRead } from './read-usage';
import type { Usage, UsageCriteria } from './usage.queries';
import { UsageQuery, type UsageFormat } from './usage.requests';
import { UsageResponse } from './usage.responses';

const CSV = 'text/csv';
/** Rows that are read at once for a CSV. Each read adds up the whole range. */
const ROWS_AT_ONCE = 10_000;

@AdminEndpoint()
@Controller('v1/admin/usage')
export class UsageController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listUsage',
    summary: 'List the number of events, their bytes and deliveries by tenant, UTC day and type, newest day first.',
    description:
      '`events` and `bytes` count an event once, on the day on which it was accepted. `deliveries` counts each delivery that ' +
      'arrived, on the day on which it did. `processed` and `processedBytes` count an event once a generation, when its handlers ' +
      'succeed: a dead letter counts once it was retried with success, and a replay with mode `reprocess` counts its events again. ' +
      'A month is closed two days after its end (UTC). Its figures change no more, and what is processed later counts on the ' +
      'first open day. Events, bytes and deliveries are counted up to `countedThrough`: the present, or earlier while no ' +
      'publisher runs, after a pause, and while counting takes too long. With `format=csv` or `Accept: text/csv`, the response has all rows of the range as CSV; `limit` and ' +
      '`cursor` do not apply.',
  })
  @ApiOkResponse({
    description: 'The usage',
    content: {
      'application/json': { schema: { $ref: getSchemaPath(UsageResponse) } },
      [CSV]: { schema: { type: 'string' } },
    },
  })
  @ApiExtraModels(UsageResponse)
  async list(
    @Query() query: UsageQuery,
    @Acting() acting: ActingOperator,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageResponse | StreamableFile> {
    const criteria = criteriaOf(query, acting);
    const format = query.format ?? formatOf(accept);
    reply.header('Vary', 'Accept');
    if (format === 'json') return this.page(criteria);
    const all = { ...criteria, after: null, limit: ROWS_AT_ONCE };
    const first = await readUsage(this.pool, all); // a failure is still a problem
    const disposition = 'attachment; filename="usage.csv"';
    return new StreamableFile(Readable.from(usageCsv(this.pagesFrom(all, first))), {
      type: `${CSV}; charset=utf-8`,
      disposition,
    });
  }

  private async page(criteria: UsageCriteria): Promise<UsageResponse> {
    const { usage, countedThrough } = await readUsage(this.pool, criteria);
    const last = usage.at(-1);
    const more = last && usage.length === criteria.limit;
    const nextCursor = more ? encodeKeyCursor('usage', [last.day, last.tenantId, last.type]) : null;
    return { usage, countedThrough, nextCursor };
  }

  private async *pagesFrom(criteria: UsageCriteria, { usage, hasRest }: UsageRead): AsyncGenerator<readonly Usage[]> {
    for (let rows = usage; rows.length > 0;) {
      yield rows;
      const after = rows.length < criteria.limit ? undefined : rows.at(-1);
      if (!after) return;
      rows = (await readUsage(this.pool, { ...criteria, after }, hasRest)).usage;
    }
  }
}

/** JSON, unless the client names CSV and wants it at least as much. */
function formatOf(accept: string | undefined): UsageFormat {
  if (!accept?.toLowerCase().includes(CSV)) return 'json';
  return preferredType(accept, [CSV, 'application/json']) === CSV ? 'csv' : 'json';
}

function criteriaOf({ tenantId, from, to, limit, cursor }: UsageQuery, acting: ActingOperator): UsageCriteria {
  return {
    ...scopeOf(acting, tenantId),
    firstDay: from === undefined ? null : firstDayOf(from),
    lastDay: to === undefined ? null : lastDayOf(to),
    after: cursor === undefined ? null : rowBefore(cursor),
    limit,
  };
}

/** @throws Problem `invalid-request` */
function rowBefore(cursor: string): UsageCriteria['after'] {
  const [day = '', tenantId = '', type = ''] = decodeKeyCursor('usage', cursor, 3);
  if (!parseInstant(`${day}T00:00:00Z`)) throw damagedCursor();
  return { day, tenantId, type };
}
