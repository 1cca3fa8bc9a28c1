import { IsIn } from 'class-validator';
import { PROBLEM_CODES, type ProblemCode } from '../../event/problems';
import { ApiEnum, ApiId, ApiInstant, ApiText } from '../../http/docs/api-fields';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { IsInstant, IsNotAfter, IsPlainText, IsUuid, MayBeLeftOut, OneTenant } from '../endpoint/rules';

export class RejectionsQuery {
  @OneTenant('Only rejections of this tenant')
  tenantId?: string;

  @ApiId({ required: false, example: undefined, description: 'Id of the source that refused' })
  @MayBeLeftOut()
  @IsUuid()
  sourceId?: string;

  @ApiEnum('ProblemCode', PROBLEM_CODES, { required: false, description: 'Why it was refused' })
  @MayBeLeftOut()
  @IsIn(PROBLEM_CODES)
  code?: ProblemCode;

  @ApiText(undefined, { required: false, description: 'Correlation id, exact match', minLength: 1, maxLength: 128 })
  @MayBeLeftOut()
  @IsPlainText(128)
  correlationId?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only rejections received at or after this time' })
  @MayBeLeftOut()
  @IsInstant()
  @IsNotAfter('to')
  from?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only rejections received before this time' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

export class RejectionPath {
  @ApiId()
  @IsUuid()
  id!: string;
}
