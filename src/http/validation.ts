import { ValidationPipe, type ArgumentMetadata, type Type, type ValidationError } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { didYouMean } from '../event/did-you-mean';
import { childPointer } from '../event/json/json-text';
import { Problem, type ErrorDetail } from '../event/problems';
import { shortError } from '../event/short-error';

/** Maximum properties listed for one request: a body may contain thousands of unknown ones. */
const MAX_ERRORS = 50;

const OPTIONAL_BODIES = new WeakSet<object>();

/** Marks the class of a request body that a request may omit. An omitted body is read as `{}`. */
export function OptionalBody(): ClassDecorator {
  return (target) => {
    OPTIONAL_BODIES.add(target);
  };
}

/** By the prototype of a class: its lists whose elements have data in a member, and the name of that member. */
const DATA_IN_LISTS = new WeakMap<object, Map<string, string>>();

/**
 * Marks a list in a request body. `member` of each element is data: any JSON value, with any names. The list stays as it
 * was parsed, and its elements are not validated.
 */
export function DataIn(member: string): PropertyDecorator {
  return (prototype, list) => {
    const known = DATA_IN_LISTS.get(prototype) ?? new Map<string, string>();
    DATA_IN_LISTS.set(prototype, known.set(String(list), member));
  };
}

/** Lists of a body by their names, and the member of their elements that is data. */
type DataLists = ReadonlyMap<string, string>;

const NO_LISTS: DataLists = new Map();

function dataListsIn(body: unknown, of: Type<unknown> | undefined): DataLists {
  const known = of && DATA_IN_LISTS.get(of.prototype as object);
  if (!known) return NO_LISTS;
  return new Map([...known].filter(([name]) => Array.isArray((body as Record<string, unknown> | undefined)?.[name])));
}

/**
 * Validates the DTOs of the admin endpoints with class-validator, without converting any value of a body. Violations
 * become `invalid-request` with pointers.
 */
class RequestValidation extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      validationError: { target: true },
      exceptionFactory: (errors) => invalidRequest(errors.slice(0, MAX_ERRORS).flatMap((e) => details(e, ''))),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'query') checkNames(value);
    if (metadata.type !== 'body') return super.transform(value, metadata);
    checkBody(value, metadata.metatype);
    const lists = dataListsIn(value, metadata.metatype);
    checkNames(value, lists);
    return lists.size === 0 ? super.transform(value, metadata) : this.transformAround(lists, value as object, metadata);
  }

  /** ValidationPipe copies what it validates, and loses members of some names. It gets empty lists. */
  private async transformAround(lists: DataLists, body: object, metadata: ArgumentMetadata): Promise<unknown> {
    const names = [...lists.keys()];
    const emptied = { ...body, ...Object.fromEntries(names.map((name) => [name, []])) };
    const made = (await super.transform(emptied, metadata)) as object;
    return Object.assign(made, Object.fromEntries(Object.entries(body).filter(([name]) => lists.has(name))));
  }
}

export function createValidationPipe(): ValidationPipe {
  return new RequestValidation();
}

/** ValidationPipe would read an omitted body and `null` as `{}`, and an array as a list of bodies. */
function checkBody(body: unknown, of: Type<unknown> | undefined): void {
  if (body === undefined && of !== undefined && OPTIONAL_BODIES.has(of)) return;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return;
  const message = body === undefined ? 'a body is required' : 'the body must be a JSON object';
  throw invalidRequest([{ pointer: '', code: 'invalid-request', message }]);
}

/**
 * ValidationPipe drops fields that have the name of a member of every object, accepts them where it should not, or
 * fails on them. The body is not deep: its parser limits that.
 */
function checkNames(fields: unknown, dataIn = NO_LISTS): void {
  const isData = (pointer: string): boolean => {
    const [, list = '', index, member, ...below] = pointer.split('/');
    return index !== undefined && below.length === 0 && dataIn.get(list) === member;
  };
  const unknown = namesOfMembers(fields, '', dataIn.size > 0 ? isData : () => false);
  if (unknown.length === 0) return;
  throw invalidRequest(
    unknown.slice(0, MAX_ERRORS).map(({ pointer, name }) => ({
      pointer,
      code: 'invalid-request',
      message: `property ${name} should not exist`,
    })),
  );
}

function namesOfMembers(
  value: unknown,
  pointer: string,
  isData: (pointer: string) => boolean,
): { pointer: string; name: string }[] {
  if (typeof value !== 'object' || value === null || isData(pointer)) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const at = childPointer(pointer, name);
    const own = !Array.isArray(value) && name in Object.prototype ? [{ pointer: at, name }] : [];
    return [...own, ...namesOfMembers(child, at, isData)];
  });
}

function invalidRequest(errors: ErrorDetail[]): Problem {
  return new Problem('invalid-request', 'Some parameters are invalid. See `errors`.', {
    errors: errors.map(shortError),
  });
}

function details(error: ValidationError, parent: string): ErrorDetail[] {
  const pointer = `${parent}/${error.property}`;
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
    pointer,
    code: 'invalid-request' as const,
    message: rule === 'whitelistValidation' ? unknownProperty(error) : message,
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => details(child, pointer))];
}

function unknownProperty({ property, target }: ValidationError): string {
  const meant = target && didYouMean(property, propertiesOf(target));
  return `property ${property} should not exist${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** Returns the names of the properties that a DTO validates, those of its base classes included. */
function propertiesOf(dto: object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(dto.constructor, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}
