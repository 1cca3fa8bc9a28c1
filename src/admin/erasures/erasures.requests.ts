import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, ValidateBy } from 'class-validator';
import { ApiFlag, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import { PageQuery } from '../endpoint/paging';
import { IsInstant, IsPlainText, IsTenantId, MayBeLeftOut, OneTenant } from '../endpoint/rules';

const MOST_IDS = 1_000;
const SELECTIONS = ['subject', 'eventIds', 'before'] as const;

/** Says what to erase of a tenant. Exactly one of `subject`, `eventIds` and `before` is given. */
export class ErasureRequest {
  @ApiText('demo')
  @IsTenantId()
  @HasOneSelection()
  tenantId!: string;

  @ApiText('customer-17', {
    required: false,
    description: 'All events with this subject, and the rejections that mention it',
    minLength: 1,
    maxLength: 512,
  })
  @MayBeLeftOut()
  @IsPlainText(512)
  subject?: string;

  @ApiList(String, {
    required: false,
    description:
      "Ids of events, or the producer's eventIds: all events that have one of them. These are at most 2000 events",
    minItems: 1,
    maxItems: MOST_IDS,
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_IDS)
  @IsPlainText(255, { each: true })
  eventIds?: string[];

  @ApiInstant({ required: false, description: 'All events and rejections received before this time' })
  @MayBeLeftOut()
  @IsInstant()
  before?: string;

  @ApiFlag(false, { required: false, description: 'Whether to only count what would be erased. Default: false' })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;

  @ApiText(undefined, {
    required: false,
    description: 'Reason for the erasure. Stored in the audit entry',
    minLength: 1,
    maxLength: 500,
  })
  @MayBeLeftOut()
  @IsPlainText(500)
  note?: string;
}

/** Without this rule, a client that loses its selection on the way would erase another one. */
function HasOneSelection(): PropertyDecorator {
  return ValidateBy({
    name: 'hasOneSelection',
    validator: {
      validate: (_tenantId, args) =>
        SELECTIONS.filter((name) => (args?.object as ErasureRequest | undefined)?.[name] !== undefined).length === 1,
      defaultMessage: () => 'send exactly one of subject, eventIds and before',
    },
  });
}

export class ErasuresQuery extends PageQuery {
  @OneTenant('Only erasures of this tenant')
  tenantId?: string;
}
