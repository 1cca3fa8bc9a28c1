import {
  AUTH_TYPES,
  headerNameOf,
  type AuthType,
  type DestinationAuth,
} from '../../destinations/auth/destination-auth';
import {
  headerFault,
  nameFault,
  STATIC_HEADER_LIMITS,
  type StaticHeaders,
} from '../../destinations/render/static-headers';
import { childPointer } from '../../event/json/json-text';
import { findUnsupportedCharacter } from '../../event/json/unsupported-characters';
import { Problem, type ErrorDetail } from '../../event/problems';
import { compileExpression, ExpressionError } from '../../expressions/expression';
import { compileFilter } from '../../expressions/filter/compile-filter';
import { invalid, schemaErrors } from '../sources/rules/schema-check';
import type { DestinationFields } from './destination-fields';

/** @throws Problem `invalid-request` that lists what is wrong with a destination */
export function refuseInvalidDestination(
  fields: DestinationFields,
  headers: StaticHeaders | null,
  auth: DestinationAuth | null,
): void {
  const errors = [
    ...filterErrors(fields.filter),
    ...transformErrors(fields.transform),
    ...authErrors(auth),
    ...headerErrors(headers ?? {}, fields.format, auth),
  ];
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

function headerErrors(
  headers: StaticHeaders,
  format: DestinationFields['format'],
  auth: DestinationAuth | null,
): ErrorDetail[] {
  const entries = Object.entries(headers);
  const { count, bytes } = STATIC_HEADER_LIMITS;
  if (entries.length > count) return [invalid('/headers', `must not have more than ${count} headers`)];
  if (entries.reduce((sum, [name, value]) => sum + name.length + String(value).length, 0) > bytes) {
    return [invalid('/headers', `must have at most ${bytes} characters in total`)];
  }
  const names = entries.map(([name]) => name.toLowerCase());
  return entries.flatMap(([name, value], i) => {
    const isRepeated = names.indexOf(names[i] as string) < i;
    const isOfAuth = auth !== null && AUTH_TYPES.includes(auth.type) && headerNameOf(auth) === names[i];
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
const SCHEMAS = Object.fromEntries(
  AUTH_TYPES.map((type) => [
    type,
    {
      type: 'object',
      additionalProperties: false,
      required: ['type', ...Object.keys(MEMBERS[type]).filter((name) => !OPTIONAL.includes(name))],
      properties: { type: { const: type }, ...MEMBERS[type] },
    },
  ]),
);

function authErrors(auth: DestinationAuth | null): ErrorDetail[] {
  if (auth === null) return [];
  const schema = SCHEMAS[auth.type];
  if (!schema) return [invalid('/auth/type', `must be one of ${AUTH_TYPES.join(', ')}`)];
  const errors = schemaErrors(schema, auth, '/auth');
  if (errors.length > 0 || auth.type !== 'header') return errors;
  const fault =
    nameFault(auth.name) ?? (auth.name.toLowerCase() === 'content-type' ? 'is set by the format' : undefined);
  return fault === undefined ? [] : [invalid('/auth/name', fault)];
}
