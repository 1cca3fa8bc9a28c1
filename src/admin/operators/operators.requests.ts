import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, Matches, ValidateBy } from 'class-validator';
import { OPERATOR_ROLES, type OperatorRole } from '../../access/identity/operator-roles';
import { OIDC_PREFIX } from '../../access/oidc/operator-claims';
import { ApiEnum, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { AreTenantIds, IsFutureInstant, IsPlainText, MayBeLeftOut, MayBeNull } from '../endpoint/rules';

const MOST_NAME = 200;
const MOST_TENANTS = 1_000;
const CREDENTIAL_ID = /^[0-9A-Za-z]{1,40}$/;
/** The audit trail has these names for ADMIN_TOKEN, for StreamForge itself, and for `npm run keys`. */
const RESERVED_NAMES = ['admin', 'streamforge', 'cli'];
const NAME = {
  minLength: 1,
  maxLength: MOST_NAME,
  description: 'Stands in the audit trail. At most one operator who is not revoked has it',
};

/** Refuses reserved names, in any spelling that a reader could take for one of them. */
function IsNoReservedName(): PropertyDecorator {
  const names = `${RESERVED_NAMES.join(', ')} or begin with ${OIDC_PREFIX}`;
  return ValidateBy({
    name: 'isNoReservedName',
    validator: {
      validate: (value) => typeof value !== 'string' || !isReserved(value),
      defaultMessage: () =>
        `$property must not be ${names}, must not begin or end with white space, and must not contain invisible characters`,
    },
  });
}

/** Control characters, line breaks, and what has no glyph. A name with one looks like another name. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

function isReserved(name: string): boolean {
  const read = name.normalize('NFKC').toLowerCase();
  if (INVISIBLE.test(name)) return true;
  return read !== read.trim() || RESERVED_NAMES.includes(read) || read.startsWith(OIDC_PREFIX);
}

class OperatorFields {
  @ApiList(String, {
    required: false,
    nullable: true,
    example: ['acme'],
    description: 'The tenants whose data the operator may see and change. Null, the default: all tenants',
    minItems: 1,
    maxItems: MOST_TENANTS,
  })
  @MayBeNull()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_TENANTS)
  @ArrayUnique()
  @AreTenantIds()
  tenantIds?: string[] | null;

  @ApiInstant({
    required: false,
    nullable: true,
    example: '2036-01-31T12:00:00.000Z',
    description: 'When the token expires. Null, the default: never',
  })
  @MayBeNull()
  @IsFutureInstant()
  expiresAt?: string | null;
}

export class OperatorRequest extends OperatorFields {
  @ApiText('ada', NAME)
  @IsPlainText(MOST_NAME)
  @IsNoReservedName()
  name!: string;

  @ApiEnum('OperatorRole', OPERATOR_ROLES)
  @IsIn(OPERATOR_ROLES)
  role!: OperatorRole;
}

/** Omitted fields keep their values. */
export class OperatorChangeRequest extends OperatorFields {
  @ApiText('ada', { ...NAME, required: false })
  @MayBeLeftOut()
  @IsPlainText(MOST_NAME)
  @IsNoReservedName()
  name?: string;

  @ApiEnum('OperatorRole', OPERATOR_ROLES, { required: false })
  @MayBeLeftOut()
  @IsIn(OPERATOR_ROLES)
  role?: OperatorRole;
}

export class OperatorsQuery {
  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

export class OperatorPath {
  @ApiText('4kQ0bZx81LpT')
  @Matches(CREDENTIAL_ID, { message: 'id must be the id of an operator' })
  id!: string;
}
