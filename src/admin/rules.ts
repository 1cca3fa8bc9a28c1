import { applyDecorators } from '@nestjs/common';
import { IsString, Length, Matches, ValidateBy, ValidateIf } from 'class-validator';
import { parseInstant } from '../event/instant';
import { isTenantId } from '../event/tenant';

/** Left out, or valid: unlike class-validator's IsOptional, null is not "left out", since `status: null` is no filter. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** Undoes an inherited MayBeLeftOut. */
export function IsNeeded(): PropertyDecorator {
  return ValidateIf(() => true);
}

/** A text of 1 to `max` characters that PostgreSQL can compare: it knows no U+0000. With `each`, a list of them. */
export function IsPlainText(max: number, each = false): PropertyDecorator {
  return applyDecorators(
    IsString({ each }),
    Length(1, max, { each }),
    Matches(/^[^\0]*$/, { each, message: '$property must not contain the character U+0000' }),
  );
}

export function IsTenantId(): PropertyDecorator {
  return ValidateBy({
    name: 'isTenantId',
    validator: {
      validate: (value) => typeof value === 'string' && isTenantId(value),
      defaultMessage: () => '$property must be a tenant id',
    },
  });
}

/** RFC 3339, as everywhere in the api. */
export function IsInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isInstant',
    validator: {
      validate: (value) => typeof value === 'string' && parseInstant(value) !== undefined,
      defaultMessage: () => '$property must be an RFC 3339 date-time that exists, such as 2026-01-31T12:00:00Z',
    },
  });
}
