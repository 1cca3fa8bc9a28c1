import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LeastRole } from '../../access/least-role';
import { revisedEventJson } from '../../revisions/revised-event';
import { diffOf } from '../../expressions/patch/json-diff';
import { ApiIdempotencyKeyHeaders, responseHeaders } from '../../http/docs/api-headers';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { readRevisionBody, REVISION_BODY } from './revision-body';
import { Revisions, type MadeRevision } from './revisions';
import { RevisionPath, RevisionRequest } from './revisions.requests';
import { RevisionResponse } from './revisions.responses';

@AdminEndpoint()
@Controller('v1/admin/events')
export class RevisionsController {
  constructor(private readonly revisions: Revisions) {}

  @Post(':id/revisions')
  @LeastRole('operator', { body: REVISION_BODY })
  @HttpCode(201)
  @ApiOperation({
    operationId: 'createRevision',
    summary: 'Give another payload to an event that is in the DLQ or has a failed delivery.',
    description:
      'The event as it was sent stays, and idempotency keys go on meaning it. The next dispatch and the next delivery use the newest revision. Deliveries of revision n have the `webhook-id` `<event id>.<n>`.',
  })
  @ApiBody({
    type: RevisionRequest,
    examples: {
      payload: { value: { payload: { amount: 10.5 }, note: 'the amount was in cents', retry: true } },
      patch: { value: { patch: [{ op: 'replace', path: '/amount', value: 10.5 }], dryRun: true } },
    },
  })
  @ApiIdempotencyKeyHeaders(
    'Identifies the action. The same request with the same key, within 7 days, acts once and gets the same response. Ignored in a dry run',
  )
  @ApiCreatedResponse({ type: RevisionResponse, headers: responseHeaders('Idempotent-Replayed') })
  @ApiOkResponse({ type: RevisionResponse, description: 'What a dry run would make' })
  @ApiProblems(
    ...BODY_PROBLEMS,
    'invalid-event',
    'unsupported-character',
    'event-not-found',
    'event-not-failed',
    'event-erased',
    'event-in-process',
    'too-many-revisions',
    'upgrade-unfinished',
    'idempotency-key-invalid',
    'idempotency-in-flight',
    'idempotency-key-reused',
  )
  async revise(
    @Param() { id }: RevisionPath,
    @Req() request: FastifyRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const made = await this.revisions.revise(id, await readRevisionBody(request.body), headers);
    markRepeated(reply, made.repeated);
    if (made.actionId === null) reply.status(200);
    reply.type('application/json; charset=utf-8');
    return toJson(made);
  }
}

function toJson({ event, before, revision, retried, actionId, correlationId }: MadeRevision): string {
  const { revision: number, hash, note, actor, createdAt, payloadJson } = revision;
  const dryRun = actionId === null;
  const facts = { revision: number, hash, note, actor, createdAt, retried, dryRun, actionId, correlationId };
  const { operations, truncated } = diffOf(before, payloadJson);
  const revised = revisedEventJson({ ...event, payloadJson, hash, revision: number });
  return `${JSON.stringify(facts).slice(0, -1)},"diff":${operations},"diffTruncated":${truncated},"event":${revised}}`;
}
