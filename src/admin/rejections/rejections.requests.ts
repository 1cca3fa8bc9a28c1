import { IsIn } from 'class-validator';
import { ApiEnum, ApiId } from '../../http/docs/api-fields';
import { REJECTION_STATUSES, type RejectionStatus } from '../../rejections/rejection';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { IsUuid, MayBeLeftOut } from '../endpoint/rules';
import { RejectionFilterQuery } from './rejection-filter';

/** Selects one page of rejections. */
export class RejectionsQuery extends RejectionFilterQuery {
  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

export class RejectionReasonsQuery extends RejectionFilterQuery {
  @ApiEnum('RejectionStatus', REJECTION_STATUSES, { required: false, description: 'Current status. Default: OPEN' })
  @MayBeLeftOut()
  @IsIn(REJECTION_STATUSES)
  override status: RejectionStatus = 'OPEN';

  @IsListLimit('Maximum number of reasons in the response')
  limit = 50;
}

export class RejectionPath {
  @ApiId()
  @IsUuid()
  id!: string;
}
