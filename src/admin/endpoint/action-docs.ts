import { applyDecorators, type Type } from '@nestjs/common';
import { ApiAcceptedResponse } from '@nestjs/swagger';
import type { ProblemCode } from '../../event/problems';
import { ApiCount, ApiFlag, ApiId, ApiText } from '../../http/docs/api-fields';
import { ApiIdempotencyKeyHeaders, responseHeaders } from '../../http/docs/api-headers';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';

/** Documents an endpoint that carries out an action and takes an idempotency key. `codes` are problems of its own. */
export const ApiAction = (type: Type<unknown>, ...codes: ProblemCode[]): MethodDecorator =>
  applyDecorators(
    ApiIdempotencyKeyHeaders(
      'Identifies the action. The same request with the same key, within 7 days, acts once and gets the same response. Ignored in a dry run',
    ),
    ApiAcceptedResponse({ type, headers: responseHeaders('Idempotent-Replayed') }),
    ApiProblems(
      ...BODY_PROBLEMS,
      ...codes,
      'idempotency-key-invalid',
      'idempotency-in-flight',
      'idempotency-key-reused',
    ),
  );

export const ApiActionId = (): PropertyDecorator =>
  ApiId({ nullable: true, description: 'Id for GET /v1/admin/actions/{actionId}. Null in a dry run' });

export const ApiErasedCount = (): PropertyDecorator =>
  ApiCount(0, {
    description:
      'Number of events in `eventIds` that are not retried because their payload was erased. Not in `matched`',
  });

/** Fields in the response to every bulk change. */
export class BulkResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiActionId() actionId!: string | null;
  @ApiFlag(false) dryRun!: boolean;
  @ApiText('c-1') correlationId!: string;
  @ApiFlag(false, {
    required: false,
    description:
      'Present in a dry run: true if the filter matches more than `limit`, so that one action does not change all',
  })
  more?: boolean;
}
