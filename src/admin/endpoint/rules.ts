import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, Length, ValidateBy, ValidateIf } from 'class-validator';
import { isNetwork } from '../../access/identity/networks';
import { parseInstant } from '../../event/instant';
import { findUnsupportedCharacter } from '../../event/json/unsupported-characters';
import { isTenantId } from '../../event/tenant';
import { isUuid, parseUuid } from '../../event/uuid-v7';
import { timeOfDay } from '../../event/time-of-day';
import { parsePointer } from '../../expressions/pointer';
import { ApiText } from '../../http/docs/api-fields';

/** Allows an omitted property. Unlike IsOptional, rejects null, because `status: null` must not match every event. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** Allows an omitted property, and null, which resets it. */
export function MayBeNull(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined && value !== null);
}

/** A string of `min` to `max` characters that PostgreSQL can store as text and JSON. With `each`, an array of them. */
export function IsPlainText(max: number, { min = 1, each = false } = {}): PropertyDecorator {
  const isHeld = {
    name: 'isHeld',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && !value.includes('\0') && value.isWellFormed(),
      defaultMessage: () => '$property must not contain U+0000 or a lone surrogate',
    },
  };
  return applyDecorators(IsString({ each }), Length(min, max, { each }), ValidateBy(isHeld, { each }));
}

/** A UUID in any case, which becomes lower case. For path and query parameters, not for bodies. */
export function IsUuid(): PropertyDecorator {
  return applyDecorators(
    ValidateBy({
      name: 'isUuid',
      validator: {
        validate: (value) => typeof value === 'string' && isUuid(value),
        defaultMessage: () => '$property must be a UUID',
      },
    }),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (parseUuid(value) ?? value) : value)),
  );
}

/** A UUID in any case. For filters, which a body may have: it stays as it was sent. */
export function IsUuidText(): PropertyDecorator {
  return ValidateBy({
    name: 'isUuidText',
    validator: {
      validate: (value) => typeof value === 'string' && parseUuid(value) !== undefined,
      defaultMessage: () => '$property must be a UUID',
    },
  });
}

/** UUIDs in any case. */
export function AreUuidTexts(): PropertyDecorator {
  return ValidateBy({
    name: 'areUuidTexts',
    validator: {
      validate: (value) =>
        Array.isArray(value) && value.every((one) => typeof one === 'string' && parseUuid(one) !== undefined),
      defaultMessage: () => 'each of $property must be a UUID',
    },
  });
}

export function IsTenantId(): PropertyDecorator {
  return ValidateBy({
    name: 'isTenantId',
    validator: {
      validate: (value) => typeof value === 'string' && isTenantId(value),
      defaultMessage: () =>
        '$property must be a tenant id: 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit',
    },
  });
}

export function AreTenantIds(): PropertyDecorator {
  return ValidateBy({
    name: 'areTenantIds',
    validator: {
      validate: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && isTenantId(one)),
      defaultMessage: () => 'each of $property must be a tenant id',
    },
  });
}

/** An optional filter by tenant. */
export function OneTenant(description: string): PropertyDecorator {
  return applyDecorators(IsTenantId(), MayBeLeftOut(), ApiText('demo', { required: false, description }));
}

/** An RFC 3339 date-time, as in the rest of the API. */
export function IsInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isInstant',
    validator: {
      validate: (value) => typeof value === 'string' && parseInstant(value) !== undefined,
      defaultMessage: () => '$property must be a valid RFC 3339 date-time, such as 2026-01-31T12:00:00Z',
    },
  });
}

/** For the start of a range of times. Accepts a range whose start or end is missing or is no instant. */
export function IsNotAfter(end: string): PropertyDecorator {
  return ValidateBy({
    name: 'isNotAfter',
    validator: {
      validate: (start, args) => {
        const range = [start, (args?.object as Record<string, unknown>)[end]].map((at) =>
          typeof at === 'string' ? parseInstant(at)?.utc : undefined,
        );
        const [from, to] = range;
        return from === undefined || to === undefined || from <= to;
      },
      defaultMessage: () => `$property must not be after ${end}`,
    },
  });
}

/** An object of at most `maxBytes` as JSON, with texts that PostgreSQL can store. */
export function IsSmallObject(maxBytes: number): PropertyDecorator {
  return ValidateBy({
    name: 'isSmallObject',
    validator: {
      validate: (value) =>
        typeof value === 'object' &&
        !Array.isArray(value) &&
        Buffer.byteLength(JSON.stringify(value)) <= maxBytes &&
        findUnsupportedCharacter(value, '') === undefined,
      defaultMessage: () =>
        `$property must be an object of at most ${maxBytes} bytes as JSON, without U+0000 or a lone surrogate`,
    },
  });
}

/** JSON Pointers (RFC 6901). */
export function ArePointers(): PropertyDecorator {
  return ValidateBy({
    name: 'arePointers',
    validator: {
      validate: (value) => Array.isArray(value) && value.every(isPointer),
      defaultMessage: () => 'each of $property must be a JSON Pointer, such as /customer/email',
    },
  });
}

const isPointer = (value: unknown): boolean =>
  typeof value === 'string' && (value === '' || value.startsWith('/')) && 'segments' in parsePointer(value);

/** Networks in CIDR notation. */
export function AreNetworks(): PropertyDecorator {
  return ValidateBy({
    name: 'areNetworks',
    validator: {
      validate: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && isNetwork(one)),
      defaultMessage: () => 'each of $property must be a network in CIDR notation, such as 203.0.113.0/24',
    },
  });
}

/** The end of a credential: an RFC 3339 date-time that is not over. */
export function IsFutureInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isFutureInstant',
    validator: {
      validate: (value) => {
        const instant = typeof value === 'string' ? parseInstant(value) : undefined;
        return instant !== undefined && instant.utc > timeOfDay().toISOString();
      },
      defaultMessage: () => '$property must be an RFC 3339 date-time in the future, such as 2030-01-31T12:00:00Z',
    },
  });
}
