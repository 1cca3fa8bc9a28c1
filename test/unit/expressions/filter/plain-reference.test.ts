import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { compileFilter } from '../../../../src/expressions/filter/compile-filter';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isScalar = (value: unknown): boolean => value === null || ['string', 'number', 'boolean'].includes(typeof value);
const memberOf = (value: Record<string, Json>, name: string): Json | undefined =>
  Object.hasOwn(value, name) ? value[name] : undefined;

/** The value, or anything in an array of any depth. */
const someOf = (value: unknown, test: (one: unknown) => boolean): boolean =>
  Array.isArray(value) ? value.flat(Infinity).some(test) : test(value);

const isOrdered = (value: unknown, operand: unknown): boolean =>
  typeof value === typeof operand && ['string', 'number'].includes(typeof value);

/** What a filter means, read from the filter itself at every value. */
function passes(filter: Json, value: unknown): boolean {
  if (Array.isArray(filter)) {
    return Array.isArray(value) && filter.every((part) => value.some((item) => passes(part, item)));
  }
  if (!isObject(filter)) return someOf(value, (one) => one === filter);
  const conditions = Object.entries(filter);
  const fields = conditions.filter(([name]) => !name.startsWith('$'));
  const hasFields = (one: unknown): boolean =>
    isObject(one) && fields.every(([name, part]) => passes(part, memberOf(one, name)));
  return (
    conditions.every(([name, operand]) => !name.startsWith('$') || holds(name, operand, value)) &&
    (fields.length === 0 || someOf(value, hasFields))
  );
}

function holds(name: string, operand: Json, value: unknown): boolean {
  const parts = operand as Json[];
  switch (name) {
    case '$and':
      return parts.every((part) => passes(part, value));
    case '$or':
      return parts.some((part) => passes(part, value));
    case '$not':
      return value !== undefined && !passes(operand, value);
    case '$eq':
      return isDeepStrictEqual(value, operand);
    case '$neq':
      return value !== undefined && !isDeepStrictEqual(value, operand);
    case '$gt':
      return isOrdered(value, operand) && (value as string) > (operand as string);
    case '$lte':
      return isOrdered(value, operand) && (value as string) <= (operand as string);
    case '$in':
      return isScalar(value) && parts.includes(value as Json);
    case '$nin':
      return isScalar(value) && !parts.includes(value as Json);
    case '$startsWith':
      return typeof value === 'string' && value.startsWith(operand as string);
    case '$exist':
      return (value !== undefined) === operand;
    default:
      throw new Error(`the reference does not know ${name}`);
  }
}

const name = fc.constantFrom('a', 'b', '__proto__', 'length');
const scalar = fc.constantFrom<Json>(null, true, false, 0, 1, 2.5, '', 'a', 'ab', 'b');
const objectOf = <T>(member: fc.Arbitrary<T>, most: number): fc.Arbitrary<Record<string, T>> =>
  fc.array(fc.tuple(name, member), { maxLength: most }).map((members) => Object.fromEntries(members));

const values = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    objectOf(tie('value'), 3),
  ),
})).value;

const filters = fc.letrec<{ condition: Json; logical: Json; root: Json }>((tie) => ({
  logical: fc.oneof(
    { maxDepth: 4 },
    objectOf(tie('condition'), 2),
    fc.tuple(fc.constantFrom('$and', '$or'), fc.array(tie('condition'), { minLength: 1, maxLength: 2 })).map(one),
    tie('condition').map((part) => one(['$not', part])),
  ),
  condition: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.tuple(fc.constantFrom('$eq', '$neq'), values).map(one),
    fc.tuple(fc.constantFrom('$gt', '$lte'), fc.constantFrom<Json>(0, 1, 'a')).map(one),
    fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(scalar, { minLength: 1, maxLength: 3 })).map(one),
    fc.tuple(fc.constant('$startsWith'), fc.constantFrom<Json>('a', '')).map(one),
    fc.tuple(fc.constant('$exist'), fc.boolean()).map(one),
    fc.array(tie('condition'), { minLength: 1, maxLength: 2 }),
    tie('logical'),
  ),
  root: fc.oneof(
    objectOf(tie('condition'), 3),
    fc.tuple(fc.constantFrom('$and', '$or'), fc.array(tie('root'), { minLength: 1, maxLength: 2 })).map(one),
    tie('root').map((part) => one(['$not', part])),
  ),
})).root;

function one([key, value]: readonly [string, Json]): Json {
  return { [key]: value };
}

it('a compiled filter gives the same as a plain reading of the filter, for every filter and value', () => {
  let compared = 0;
  let passed = 0;
  fc.assert(
    fc.property(filters, fc.oneof(objectOf(values, 3), values), (filter, value) => {
      const compiled = compileFilter(filter);
      if ('errors' in compiled) return; // such as { "$not": { "$exist": true } }
      compared += 1;
      const expected = passes(filter, value);
      passed += Number(expected);
      expect(compiled.matches(value)).toBe(expected);
    }),
    { numRuns: 5_000 },
  );
  expect(compared).toBeGreaterThan(1_500);
  expect(passed).toBeGreaterThan(200);
});
