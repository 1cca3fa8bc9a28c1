import { IntersectionType, PickType } from '@nestjs/swagger';
import { IsArray, IsIn, IsInt, Max, Min } from 'class-validator';
import { MAX_OPERATIONS, MAX_POINTER_LENGTH, PATCH_OPERATIONS } from '../../../expressions/patch/json-patch';
import { ApiCount, ApiEnum, ApiJson, ApiList, ApiText } from '../../../http/docs/api-fields';
import { DataIn } from '../../../http/validation';
import { MayBeLeftOut } from '../../endpoint/rules';
import { BulkRequest, DEFAULT_LIMIT, MOST_LIMIT } from '../../events/bulk-request';
import { RejectionFilter } from '../rejection-filter';

class RejectionBulkRequest extends IntersectionType(RejectionFilter, PickType(BulkRequest, ['all', 'dryRun', 'note'])) {
  @ApiCount(DEFAULT_LIMIT, {
    required: false,
    description: `Maximum number of rejections to change, newest first. Must not exceed the setting REPLAY_MAX_LIMIT. Default: ${DEFAULT_LIMIT}`,
    minimum: 1,
    maximum: MOST_LIMIT,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST_LIMIT)
  limit?: number;
}

/** An operation of a JSON Patch (RFC 6902). */
class PatchOperationRequest {
  @ApiEnum('PatchOperation', PATCH_OPERATIONS) op!: string;
  @ApiText('/payload/total', { description: 'JSON Pointer', maxLength: MAX_POINTER_LENGTH }) path!: string;
  @ApiText(undefined, {
    required: false,
    description: 'JSON Pointer; only of `move` and `copy`',
    maxLength: MAX_POINTER_LENGTH,
  })
  from?: string;
  @ApiJson(10.5, { required: false, description: 'Required for `add`, `replace` and `test`' }) value?: unknown =
    undefined;
}

export const RESUBMITTED_STATUSES = ['OPEN', 'DISCARDED'] as const;

export class ResubmitRequest extends RejectionBulkRequest {
  @ApiEnum('ResubmittedStatus', RESUBMITTED_STATUSES, {
    required: false,
    description: 'Status of the rejections to resubmit. Default: OPEN',
  })
  @MayBeLeftOut()
  @IsIn(RESUBMITTED_STATUSES)
  status?: (typeof RESUBMITTED_STATUSES)[number];

  /** parsePatch validates the operations. */
  @ApiList(PatchOperationRequest, {
    required: false,
    description:
      'JSON Patch (RFC 6902) that is applied to each record before it is sent. All of it is applied to a record, or the ' +
      'record is refused. Needs the role `operator`',
    maxItems: MAX_OPERATIONS,
  })
  @MayBeLeftOut()
  @IsArray()
  @DataIn('value')
  patch?: PatchOperationRequest[];
}

export const OPEN_STATUS = ['OPEN'] as const;

export class DiscardRejectionsRequest extends RejectionBulkRequest {
  @ApiEnum('DiscardedStatus', OPEN_STATUS, { required: false, description: 'Must be OPEN, which is the default' })
  @MayBeLeftOut()
  @IsIn(OPEN_STATUS)
  status?: 'OPEN';
}
