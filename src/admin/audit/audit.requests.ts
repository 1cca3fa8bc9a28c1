import { ApiInstant, ApiText } from '../../http/docs/api-fields';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { IsInstant, IsNotAfter, IsPlainText, MayBeLeftOut, OneTenant } from '../endpoint/rules';

/** A name of an OIDC token may be longer than that of an operator. */
const MOST_ACTOR = 300;
const MOST_ACTION = 100;

/** Selects one page of the audit trail. An omitted field matches every entry. */
export class AuditQuery {
  @ApiText(undefined, {
    required: false,
    description: 'Name of the operator, exact match; `streamforge` for what StreamForge did by itself',
    minLength: 1,
    maxLength: MOST_ACTOR,
  })
  @MayBeLeftOut()
  @IsPlainText(MOST_ACTOR)
  actor?: string;

  @ApiText(undefined, {
    required: false,
    description: 'Action, or a prefix that ends with `*`, such as `key.*`',
    minLength: 1,
    maxLength: MOST_ACTION,
  })
  @MayBeLeftOut()
  @IsPlainText(MOST_ACTION)
  action?: string;

  @OneTenant('Only changes that were limited to this tenant, alone or with others')
  tenantId?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only changes at or after this time' })
  @MayBeLeftOut()
  @IsInstant()
  @IsNotAfter('to')
  from?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only changes before this time' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}
