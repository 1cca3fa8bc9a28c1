import { compare, isSameScalar, isSameValue, isScalar, type Scalar } from './compare';
import { textSearch } from './text-search';
import { ExactNumber } from '../../event/json/exact-json';

/** True for a value that passes. A field that is missing is undefined. */
export type Test = (value: unknown) => boolean;

interface Operator {
  /** Describes the operand, for the error about another one. */
  operand: string;
  accepts: (operand: unknown) => boolean;
  test: (operand: never) => Test;
}

const MAX_TEXTS = 100;

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrTexts = (value: unknown): boolean =>
  isText(value) || (Array.isArray(value) && value.length > 0 && value.length <= MAX_TEXTS && value.every(isText));
const hasOrder = (value: unknown): boolean =>
  isText(value) || typeof value === 'number' || value instanceof ExactNumber;
const isScalarOrScalars = (value: unknown): boolean =>
  isScalar(value) || (Array.isArray(value) && value.length > 0 && value.every(isScalar));

const ordered = (passes: (order: number) => boolean): Operator => ({
  operand: 'a number or a text',
  accepts: hasOrder,
  test: (operand: unknown) => (value) => {
    const order = compare(value, operand);
    return order !== undefined && passes(order);
  },
});

const withText = (has: (text: string, part: string) => boolean): Operator => ({
  operand: `a text or a list of 1 to ${MAX_TEXTS} texts`,
  accepts: isTextOrTexts,
  test: (operand: string | string[]) => {
    const parts = [operand].flat();
    return (value) => isText(value) && parts.some((part) => has(value, part));
  },
});

const MEMBERSHIP = 'a list of texts, numbers, true, false or null (not empty), or one of these';

/**
 * The operators that compare one value. Their meaning is that of the filters of Hookdeck's Outpost: an operator looks at
 * an array as a whole, and what it cannot compare does not pass.
 */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  $eq: {
    operand: 'a JSON value',
    accepts: () => true,
    test: (operand: unknown) => (value) => isSameValue(value, operand),
  },
  $neq: {
    operand: 'a JSON value',
    accepts: () => true,
    test: (operand: unknown) => (value) => value !== undefined && !isSameValue(value, operand),
  },
  $gt: ordered((order) => order > 0),
  $gte: ordered((order) => order >= 0),
  $lt: ordered((order) => order < 0),
  $lte: ordered((order) => order <= 0),
  $in: {
    operand: MEMBERSHIP,
    accepts: isScalarOrScalars,
    test: (operand: Scalar | Scalar[]) => {
      const isIn = membership(operand);
      return (value) => isIn(value) === true;
    },
  },
  $nin: {
    operand: MEMBERSHIP,
    accepts: isScalarOrScalars,
    test: (operand: Scalar | Scalar[]) => {
      const isIn = membership(operand);
      return (value) => isIn(value) === false;
    },
  },
  $startsWith: withText((text, part) => text.startsWith(part)),
  $endsWith: withText((text, part) => text.endsWith(part)),
  $exist: {
    operand: 'true or false',
    accepts: (operand) => typeof operand === 'boolean',
    test: (operand: boolean) => (value) => (value !== undefined) === operand,
  },
};

/**
 * With a list: is the value in it. With one value: is it part of the text, or an element of the array. Undefined for a
 * value that cannot be looked for.
 */
function membership(operand: Scalar | Scalar[]): (value: unknown) => boolean | undefined {
  if (Array.isArray(operand)) {
    const plain = new Set<unknown>(operand);
    const exact = new Set(operand.map((item) => (item instanceof ExactNumber ? item.decimal : undefined)));
    return (value) => {
      if (!isScalar(value)) return undefined;
      return value instanceof ExactNumber ? exact.has(value.decimal) : plain.has(value);
    };
  }
  const isIn = isText(operand) ? textSearch(operand) : undefined;
  return (value) => {
    if (Array.isArray(value)) return value.some((item) => isSameScalar(item, operand));
    return isText(value) ? isIn?.(value) : undefined;
  };
}
