import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { isNetwork } from '../../../access/identity/networks';
import { didYouMean } from '../../../event/did-you-mean';
import { childPointer } from '../../../event/json/json-text';
import type { ErrorDetail } from '../../../event/problems';
import { parsePointer } from '../../../expressions/pointer';
import { compileTemplate } from '../../../sources/request/template';
import type { Schema } from './verification-schema';

/** Errors listed for one field of a request. */
const MAX_ERRORS = 20;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A media type of ASCII, with or without parameters. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\w-]+=(?:[\w!#$&^.+-]+|"[\x20\x21\x23-\x7e]*"))*$/;

const KEYWORDS: Record<string, (value: string, of: unknown) => string | undefined> = {
  template: templateFault,
  headerName: (value) => (HEADER_NAME.test(value) ? undefined : 'must be the name of a header'),
  network: (value) => (isNetwork(value) ? undefined : 'must be a network in CIDR notation, such as 203.0.113.0/24'),
  mediaType: (value) => (MEDIA_TYPE.test(value) ? undefined : 'must be a media type, such as text/plain'),
  jsonPointer: (value) =>
    value === '' || (value.startsWith('/') && !('badEscapeAt' in parsePointer(value)))
      ? undefined
      : 'must be a JSON Pointer, such as /events',
  maxBytes: (value, of) =>
    Buffer.byteLength(value) <= Number(of) ? undefined : `must have at most ${Number(of)} bytes`,
};

const ajv = new Ajv({ allErrors: true, strict: true, verbose: true, allowUnionTypes: true });
for (const [keyword, fault] of Object.entries(KEYWORDS)) {
  ajv.addKeyword({ keyword, type: 'string', errors: true, validate: textRule(keyword, fault) });
}
ajv.addKeyword({
  keyword: 'oneOfFields',
  type: 'object',
  validate: (names: readonly string[], value: object) =>
    names.filter((name) => Object.hasOwn(value, name)).length === 1,
});

/** A keyword whose message says what is wrong with a text. */
function textRule(keyword: string, fault: (value: string, of: unknown) => string | undefined) {
  const validate = (of: unknown, value: string): boolean => {
    const message = fault(value, of);
    validate.errors = message === undefined ? [] : [{ keyword, message, params: {} }];
    return message === undefined;
  };
  validate.errors = [] as Partial<ErrorObject>[];
  return validate;
}

function templateFault(text: string, of: unknown): string | undefined {
  return faultOf(() => compileTemplate(text, { secret: of === 'secret' }));
}

/** Returns the message of the error that `compile` throws, for an operator. */
export function faultOf(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const compiled = new Map<Schema, ValidateFunction>();

/** Returns what of a value breaks its schema. `pointer` leads to the value. */
export function schemaErrors(schema: Schema, value: unknown, pointer: string): ErrorDetail[] {
  let validate = compiled.get(schema);
  if (!validate) compiled.set(schema, (validate = ajv.compile(schema)));
  if (validate(value)) return [];
  const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if');
  return errors.slice(0, MAX_ERRORS).map((error) => detailOf(error, pointer));
}

function detailOf(error: ErrorObject, base: string): ErrorDetail {
  const { keyword, instancePath, message = 'is invalid' } = error;
  const { additionalProperty, missingProperty, allowedValues } = error.params as Record<string, unknown>;
  const at = base + instancePath;
  if (keyword === 'additionalProperties') {
    const name = String(additionalProperty);
    return invalid(
      childPointer(at, name),
      unknownProperty(name, Object.keys(error.parentSchema?.properties as object)),
    );
  }
  if (keyword === 'required') return invalid(childPointer(at, String(missingProperty)), 'is required');
  if (keyword === 'enum') return invalid(at, `must be one of ${(allowedValues as unknown[]).join(', ')}`);
  if (keyword === 'oneOfFields') {
    return invalid(at, `must have exactly one of ${(error.schema as string[]).join(', ')}`);
  }
  return invalid(at, message);
}

export function unknownProperty(name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known);
  return `property ${name} should not exist${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

export function invalid(pointer: string, message: string): ErrorDetail {
  return { pointer, code: 'invalid-request', message };
}
