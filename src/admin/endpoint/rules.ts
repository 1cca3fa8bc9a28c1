import { applyDecorators } from '@nestjs/common';
import { IsString, Length, ValidateBy, ValidateIf } from 'class-validator';
import { parseInstant } from '../../event/instant';
import { isTenantId } from '../../event/tenant';
import { ApiText } from '../../http/docs/api-fields';

/** Left out, or valid: unlike class-validator's IsOptional, null is not "left out", since `status: null` is no filter. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** Undoes an inherited MayBeLeftOut. */
export function IsNeeded(): PropertyDecorator {
  return ValidateIf(() => true);
}

/** A text of `min` to `max` characters that PostgreSQL can hold, also within JSON. With `each`, a list of them. */
export function IsPlainText(max: number, { min = 1, each = false } = {}): PropertyDecorator {
  const isHeld = {
    name: 'isHeld',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && !value.includes('\0') && value.isWellFormed(),
      defaultMessage: () => '$property must not contain the character U+0000, nor half of a surrogate pair',
    },
  };
  return applyDecorators(IsString({ each }), Length(min, max, { each }), ValidateBy(isHeld, { each }));
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

/** A filter by tenant. */
export function OneTenant(description: string): PropertyDecorator {
  return applyDecorators(IsTenantId(), MayBeLeftOut(), ApiText('demo', { required: false, description }));
}

/** RFC 3339, as everywhere in the API. */
export function IsInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isInstant',
    validator: {
      validate: (value) => typeof value === 'string' && parseInstant(value) !== undefined,
      defaultMessage: () => '$property must be an RFC 3339 date-time that exists, such as 2026-01-31T12:00:00Z',
    },
  });
}
