import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { LeastRole, requireRole } from '../../access/least-role';
import { exactValue } from '../../event/json/exact-value';
import { Problem } from '../../event/problems';
import { JsonDocument } from '../../expressions/json-document';
import { parsePatch, type JsonPatch } from '../../expressions/patch/json-patch';
import { ApiProblems } from '../../http/docs/api-problem';
import { discardRejections } from '../../rejections/settle-rejections.queries';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, BodyText, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { inParts } from '../endpoint/in-parts';
import { BulkActions } from '../events/bulk-actions';
import { findMatchingRejections } from './matching-rejections';
import { Resubmissions } from './resubmission/resubmissions';
import { DiscardRejectionsRequest, ResubmitRequest } from './resubmission/resubmit.requests';
import { RejectionsDiscardedResponse, ResubmitResponse } from './resubmission/resubmit.responses';

@AdminEndpoint()
@Controller('v1/admin/rejections')
export class RejectionActionsController {
  constructor(
    private readonly bulk: BulkActions,
    private readonly resubmissions: Resubmissions,
  ) {}

  @Post('resubmit')
  @LeastRole('support')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'resubmitRejections',
    summary: 'Send rejections through intake again, as they are or with a patch.',
    description:
      'A record keeps its idempotency key, and a source maps it as it does now. A rejection becomes one event at most, ' +
      'however often it is resubmitted. With `dryRun`, the response says what would become of the rejections, and ' +
      'nothing is stored.',
  })
  @ApiBody({
    type: ResubmitRequest,
    examples: {
      foresee: { value: { tenantId: 'demo', code: 'invalid-event', dryRun: true } },
      repair: {
        value: {
          group: '7a3c0f2f5f4b3c1d8e9a6b5c4d3e2f10',
          patch: [{ op: 'replace', path: '/subject', value: 'order-1001' }],
          note: 'the till sent no subject',
          dryRun: true,
        },
      },
    },
  })
  @ApiAction(ResubmitResponse)
  @ApiProblems('role-insufficient')
  async resubmit(
    @Body() request: ResubmitRequest,
    @BodyText() bodyText: string,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResubmitResponse> {
    if (request.patch) requireRole(headers.acting, 'operator');
    const patch = request.patch && patchIn(bodyText);
    const { actionId, outcome, preview, correlationId, repeated, ...rest } = await this.resubmissions.run(
      request,
      patch,
      headers,
    );
    markRepeated(reply, repeated);
    const { resubmitted, duplicates, rejected, skipped, pending, rejectedByCode, firstRejected } = outcome;
    return {
      ...{ accepted: true, actionId, dryRun: request.dryRun, correlationId, matched: outcome.matched, ...rest },
      ...{ resubmitted, duplicates, rejected, skipped, pending, rejectedByCode, firstRejected },
      preview: preview.map(({ id, content }) => ({ id, event: exactValue(content) as object })),
    };
  }

  @Post('discard')
  @LeastRole('support')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'discardRejections',
    summary: 'Discard rejections. Their status becomes DISCARDED; nothing is deleted.',
  })
  @ApiBody({
    type: DiscardRejectionsRequest,
    examples: { count: { value: { tenantId: 'demo', note: 'test data', dryRun: true } } },
  })
  @ApiAction(RejectionsDiscardedResponse)
  async discard(
    @Body() request: DiscardRejectionsRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RejectionsDiscardedResponse> {
    const status = 'OPEN';
    const {
      repeated,
      changed,
      erased: _erased,
      ...rest
    } = await this.bulk.run(request, headers, {
      ...{ action: 'rejections.discard', counted: 'discarded', status },
      find: async (db, limit) =>
        (await findMatchingRejections(db, { ...request, status }, headers.acting, limit)).map(({ id }) => id),
      change: (db, ids) => inParts(ids, (part) => discardRejections(db, part)),
    });
    markRepeated(reply, repeated);
    return { accepted: true, ...rest, discarded: changed, dryRun: request.dryRun };
  }
}

/** Reads the patch from the text of the body. @throws Problem `invalid-request` */
function patchIn(bodyText: string): JsonPatch {
  const document = new JsonDocument(bodyText).at(['patch']);
  if (!document) throw new Error('the body was validated and has a patch');
  const read = parsePatch(document);
  if ('patch' in read) return read.patch;
  throw new Problem('invalid-request', 'The patch is invalid. See `errors`.', {
    errors: read.errors.map((error) => ({ ...error, pointer: `/patch${error.pointer}` })),
  });
}
