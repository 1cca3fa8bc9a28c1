import { IsBoolean } from 'class-validator';
import { PATCH_OPERATIONS } from '../../expressions/patch/json-patch';
import { ApiEnum, ApiFlag, ApiId, ApiJson, ApiList, ApiText } from '../../http/docs/api-fields';
import { IsPlainText, IsUuid, MayBeLeftOut } from '../endpoint/rules';

export class RevisionPath {
  @ApiId()
  @IsUuid()
  id!: string;
}

/** What a request may have besides the new payload. */
export class RevisionOptions {
  @ApiText('the amount was in cents', {
    required: false,
    description: 'Reason for the revision. It is shown with the revision and stored in the audit entry',
    minLength: 1,
    maxLength: 500,
  })
  @MayBeLeftOut()
  @IsPlainText(500)
  note?: string;

  @ApiFlag(true, {
    required: false,
    description: 'Whether to retry the event, as POST /v1/admin/dlq/retry does. Default: false',
  })
  @MayBeLeftOut()
  @IsBoolean()
  retry = false;

  @ApiFlag(false, {
    required: false,
    description: 'Whether to only show the event as it would become, and change nothing. Default: false',
  })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;
}

class PatchOperationOfRevision {
  @ApiEnum('PatchOperationName', PATCH_OPERATIONS) op!: (typeof PATCH_OPERATIONS)[number];
  @ApiText('/amount', { description: 'JSON Pointer into the payload' }) path!: string;
  @ApiText('/total', { required: false, description: 'JSON Pointer; for `move` and `copy`' }) from?: string;
  @ApiJson(10.5, { required: false, description: 'For `add`, `replace` and `test`' }) value?: unknown;
}

/** For the documentation: readRevisionBody reads the body from its text, so that numbers stay as they were sent. */
export class RevisionRequest extends RevisionOptions {
  @ApiJson({ amount: 10.5 }, { required: false, description: 'The new payload. Send either `payload` or `patch`' })
  payload?: unknown;

  @ApiList(PatchOperationOfRevision, {
    required: false,
    description: 'JSON Patch (RFC 6902) of the newest payload, at most 100 operations',
  })
  patch?: PatchOperationOfRevision[];
}
