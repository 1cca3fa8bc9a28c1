import {
  AUTH_TYPES,
  headerNameOf,
  type AuthType,
  type DestinationAuth,
} from '../../destinations/auth/destination-auth';
import { isRoutingKey, ROUTING_KEY_HEADER } from '../../destinations/auth/routing-key';
import type { SealedDestination } from '../../destinations/destination';
import { isOperatorFormat } from '../../destinations/render/delivery-format';
import {
  headerFault,
  nameFault,
  STATIC_HEADER_LIMITS,
  type StaticHeaders,
} from '../../destinations/render/static-headers';
import { childPointer } from '../../event/json/json-text';
import { RESERVED_TENANT } from '../../event/tenant';
import { findUnsupportedCharacter } from '../../event/json/unsupported-characters';
import { Problem, type ErrorDetail } from '../../event/problems';
import { compileExpression, ExpressionError } from '../../expressions/expression';
import { compileFilter } from '../../expressions/filter/compile-filter';
import { activeUntil } from '../../silence/active-hours';
import { invalid, schemaErrors } from '../sources/rules/schema-check';
import type { Schema } from '../sources/rules/verification-schema';
import type { DestinationFields, GivenSecrets } from './destination-fields';

/**
 * Headers and credentials can be written but not read. With a url of another origin they would be sent to a receiver
 * that whoever changes the url may have chosen in order to read them.
 * @throws Problem `invalid-request` where those of the destination would stay
 */
export function refuseSecretsForOtherOrigin(destination: SealedDestination, url: string, given: GivenSecrets): void {
  if (new URL(url).origin === new URL(destination.url).origin) return;
  const kept = (['headers', 'auth'] as const).filter((name) => destination[name] !== null && given[name] === undefined);
  if (kept.length === 0) return;
  const message = 'must be given again, or null, with a url of another origin';
  const errors = kept.map((name) => invalid(`/${name}`, message));
  throw new Problem('invalid-request', 'The destination is invalid. See `errors`.', { errors });
}

/** @throws Problem `invalid-request` that lists what is wrong with a destination */
export function refuseInvalidDestination(
  tenantId: string,
  fields: DestinationFields,
  headers: StaticHeaders | null,
  auth: DestinationAuth | null,
): void {
  const ofAuth = authErrors(auth);
  const errors = [
    ...filterErrors(fields.filter),
    ...transformErrors(fields.transform),
    ...orderErrors(fields),
    ...operatorErrors(tenantId, fields),
    ...ofAuth,
    ...formatErrors(tenantId, fields.format, ofAuth.length > 0 ? null : auth),
    ...headerErrors(headers ?? {}, fields.format, ofAuth.length > 0 ? null : auth),
  ];
  refuse(errors);
}

/** @throws Problem `invalid-request` that lists what is wrong with a filter or a transform */
export function refuseInvalidRules({ filter, transform }: Pick<DestinationFields, 'filter' | 'transform'>): void {
  refuse([...filterErrors(filter), ...transformErrors(transform)]);
}

function refuse(errors: ErrorDetail[]): void {
  if (errors.length > 0) throw new Problem('invalid-request', 'The destination is invalid. See `errors`.', { errors });
}

function filterErrors(filter: object | null): ErrorDetail[] {
  if (filter === null) return [];
  const character = findUnsupportedCharacter(filter, '/filter');
  if (character !== undefined) return [invalid(character, 'must not contain U+0000 or a lone surrogate')];
  const compiled = compileFilter(filter);
  if (!('errors' in compiled)) return [];
  return compiled.errors.map(({ pointer, message }) => invalid(`/filter${pointer}`, message));
}

function transformErrors(transform: string | null): ErrorDetail[] {
  try {
    if (transform !== null) compileExpression(transform);
    return [];
  } catch (error) {
    if (error instanceof ExpressionError) return [invalid('/transform', error.message)];
    throw error;
  }
}

const orderErrors = ({ ordering, latestOnly }: DestinationFields): ErrorDetail[] =>
  latestOnly && ordering === 'none' ? [invalid('/latestOnly', 'needs the ordering key')] : [];

/** Any minute will do. */
const SOME_MINUTE = 0;

function operatorErrors(tenantId: string, fields: DestinationFields): ErrorDetail[] {
  const { quietHours } = fields;
  if (tenantId === RESERVED_TENANT) {
    const isEndless = quietHours !== null && activeUntil(quietHours, SOME_MINUTE) === undefined;
    return isEndless ? [invalid('/quietHours', 'must end: give weekdays, or from and to that differ')] : [];
  }
  const given = (['minSeverity', 'quietHours'] as const).filter((name) => fields[name] !== null);
  return given.map((name) => invalid(`/${name}`, `is for operator events: for the tenant ${RESERVED_TENANT} only`));
}

function formatErrors(
  tenantId: string,
  format: DestinationFields['format'],
  auth: DestinationAuth | null,
): ErrorDetail[] {
  if (!isOperatorFormat(format)) return [];
  if (tenantId !== RESERVED_TENANT) {
    return [invalid('/format', `${format} tells operator events: it is for the tenant ${RESERVED_TENANT} only`)];
  }
  if (format !== 'pagerduty' || isRoutingKey(auth)) return [];
  const needed = `{ "type": "header", "name": "${ROUTING_KEY_HEADER}", "value": … }`;
  return [invalid('/auth', `must be ${needed} with the format pagerduty`)];
}

function headerErrors(
  headers: StaticHeaders,
  format: DestinationFields['format'],
  auth: DestinationAuth | null,
): ErrorDetail[] {
  const entries = Object.entries(headers);
  const { count, bytes } = STATIC_HEADER_LIMITS;
  if (entries.length > count) return [invalid('/headers', `must not have more than ${count} headers`)];
  if (entries.reduce((sum, [name, value]) => sum + name.length + lengthOf(value), 0) > bytes) {
    return [invalid('/headers', `must have at most ${bytes} characters in total`)];
  }
  const names = entries.map(([name]) => name.toLowerCase());
  return entries.flatMap(([name, value], i) => {
    const isRepeated = names.indexOf(names[i] as string) < i;
    const isOfAuth = auth !== null && headerNameOf(auth) === names[i];
    const fault =
      headerFault(name, value, format) ??
      (isRepeated
        ? 'must not occur twice; upper and lower case are the same'
        : isOfAuth
          ? 'is set by `auth`'
          : undefined);
    return fault === undefined ? [] : [invalid(childPointer('/headers', name), fault)];
  });
}

/** Headers that are no texts are refused one by one. */
const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

const VISIBLE = '^[\\x21-\\x7e]+$';
const text = (maxLength: number, pattern = '^[^\\p{Cc}\\p{Cs}]+$'): object => ({
  type: 'string',
  minLength: 1,
  maxLength,
  pattern,
});
const MEMBERS: Record<AuthType, Record<string, object>> = {
  bearer: { token: text(8_192, VISIBLE) },
  basic: { username: text(500, '^[^:\\p{Cc}\\p{Cs}]+$'), password: text(8_192) },
  header: { name: { ...text(STATIC_HEADER_LIMITS.nameLength), headerName: true }, value: text(8_192, VISIBLE) },
  oauth2: { tokenUrl: text(2_048), clientId: text(500), clientSecret: text(8_192), scope: text(1_000) },
};
const OPTIONAL = ['scope'];
const schemaOf = (type: AuthType): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: ['type', ...Object.keys(MEMBERS[type]).filter((name) => !OPTIONAL.includes(name))],
  properties: { type: { const: type }, ...MEMBERS[type] },
});
const SCHEMAS: Record<AuthType, Schema> = {
  bearer: schemaOf('bearer'),
  basic: schemaOf('basic'),
  header: schemaOf('header'),
  oauth2: schemaOf('oauth2'),
};

function authErrors(auth: DestinationAuth | null): ErrorDetail[] {
  if (auth === null) return [];
  const type = AUTH_TYPES.find((known) => known === auth.type);
  if (type === undefined) return [invalid('/auth/type', `must be one of ${AUTH_TYPES.join(', ')}`)];
  const errors = schemaErrors(SCHEMAS[type], auth, '/auth');
  if (errors.length > 0 || auth.type !== 'header') return errors;
  const fault =
    nameFault(auth.name) ?? (auth.name.toLowerCase() === 'content-type' ? 'is set by the format' : undefined);
  return fault === undefined ? [] : [invalid('/auth/name', fault)];
}
