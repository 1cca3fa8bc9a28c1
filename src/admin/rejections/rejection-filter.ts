import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { PROBLEM_CODES, type ProblemCode } from '../../event/problems';
import { ApiEnum, ApiId, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import { REJECTION_STATUSES, type RejectionStatus } from '../../rejections/rejection';
import {
  AreUuidTexts,
  IsInstant,
  IsNotAfter,
  IsPlainText,
  IsUuidText,
  MayBeLeftOut,
  OneTenant,
} from '../endpoint/rules';

/** Maximum number of ids in one filter. */
const MOST_IDS = 1_000;

/** Selects rejections. Lists, resubmit and discard take the same filter. An omitted field matches every rejection. */
export class RejectionFilter {
  @OneTenant('Only rejections of this tenant')
  tenantId?: string;

  @ApiId({ required: false, example: undefined, description: 'Id of the source that refused' })
  @MayBeLeftOut()
  @IsUuidText()
  sourceId?: string;

  @ApiEnum('ProblemCode', PROBLEM_CODES, { required: false, description: 'Why it was refused' })
  @MayBeLeftOut()
  @IsIn(PROBLEM_CODES)
  code?: ProblemCode;

  @ApiText(undefined, {
    required: false,
    description:
      'Event type, or a prefix that ends with `*`, such as `order.*`. Matches only where the type was readable',
    minLength: 1,
    maxLength: 255,
  })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiText(undefined, { required: false, description: 'Correlation id, exact match', minLength: 1, maxLength: 128 })
  @MayBeLeftOut()
  @IsPlainText(128)
  correlationId?: string;

  @ApiText(undefined, {
    required: false,
    description: 'Id of a group from `GET /v1/admin/rejections/reasons`',
    minLength: 1,
    maxLength: 64,
  })
  @MayBeLeftOut()
  @IsPlainText(64)
  group?: string;

  @ApiList(String, { required: false, description: 'Ids of rejections', minItems: 1, maxItems: MOST_IDS })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_IDS)
  @AreUuidTexts()
  ids?: string[];

  @ApiInstant({ required: false, example: undefined, description: 'Only rejections received at or after this time' })
  @MayBeLeftOut()
  @IsInstant()
  @IsNotAfter('to')
  from?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only rejections received before this time' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;
}

/** A filter in the query of a list. */
export class RejectionFilterQuery extends RejectionFilter {
  @ApiEnum('RejectionStatus', REJECTION_STATUSES, { required: false, description: 'Current status' })
  @MayBeLeftOut()
  @IsIn(REJECTION_STATUSES)
  status?: RejectionStatus;

  /** In a query, a list of one id looks like a single id. */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value))
  override ids?: string[] = undefined;
}
