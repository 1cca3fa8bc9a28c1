import { hash } from 'node:crypto';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { Problem } from '../../event/problems';
import { ApiId, ApiText } from '../../http/docs/api-fields';
import { ApiProblems } from '../../http/docs/api-problem';
import { KeptRequestResponse } from '../../http/docs/kept-request.response';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { rawBytes } from '../endpoint/raw-bytes';
import { IsUuid } from '../endpoint/rules';
import { findEventWithRequest } from './event-raw.queries';

class EventPath {
  @ApiId()
  @IsUuid()
  id!: string;
}

class RawRequestResponse extends KeptRequestResponse {
  @ApiId() eventId!: string;
  @ApiText('demo') tenantId!: string;
  @ApiId({ nullable: true }) sourceId!: string | null;
  @ApiText('{"id":"evt_1"}', { nullable: true, description: 'The body after its Content-Encoding, if it is UTF-8' })
  rawText!: string | null;
  @ApiText(undefined, { nullable: true, description: 'The same in base64, if it is not' }) rawBase64!: string | null;
  @ApiText('9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', {
    description: 'SHA-256 of the body, in hex',
  })
  digest!: string;
}

@AdminEndpoint()
@Controller('v1/admin/events')
export class EventRawController {
  constructor(private readonly pool: Pool) {}

  @Get(':id/raw')
  @LeastRole('support')
  @NoQuery()
  @ApiOperation({
    operationId: 'getRawRequest',
    summary: 'Retrieve the request in which an event came through a source, with its body as it was signed.',
    description: 'An event that came through no source, or whose request was erased, is 404 `raw-not-found`.',
  })
  @ApiOkResponse({ type: RawRequestResponse })
  @ApiProblems('event-not-found', 'raw-not-found')
  async read(@Param() { id }: EventPath, @Acting() { tenantIds }: ActingOperator): Promise<RawRequestResponse> {
    const found = await findEventWithRequest(this.pool, id, tenantIds);
    if (!found) throw new Problem('event-not-found', 'No event has this id.');
    const { eventId, tenantId, sourceId, requestJson, payloadJson, isErased } = found;
    if (isErased) throw new Problem('raw-not-found', 'The request was erased.');
    if (requestJson === null) {
      throw new Problem('raw-not-found', 'The event came through no source, or its request is past its retention.');
    }
    const body = found.body ?? Buffer.from(payloadJson ?? '');
    const { method, path, query, headers, address, receivedAt } = JSON.parse(requestJson) as KeptRequestResponse;
    const request = { method, path, query, headers, address, receivedAt };
    return { eventId, tenantId, sourceId, ...request, ...rawBytes(body), digest: hash('sha256', body, 'hex') };
  }
}
