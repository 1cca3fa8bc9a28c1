import { ExactNumber } from '../../event/json/exact-json';
import { decimalOf } from '../../event/json/json-text';

export type Scalar = string | number | boolean | null | ExactNumber;

export function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object' ? value !== undefined : value instanceof ExactNumber;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** Values of different types are not equal: 1 is not "1". */
export function isSameScalar(a: unknown, b: Scalar): boolean {
  return a === b || (a instanceof ExactNumber && b instanceof ExactNumber && a.decimal === b.decimal);
}

/** Compares with a value of a filter, whose depth is bounded and bounds the recursion. */
export function isSameValue(value: unknown, expected: unknown): boolean {
  if (isScalar(expected)) return isSameScalar(value, expected);
  if (Array.isArray(expected)) {
    return (
      Array.isArray(value) &&
      value.length === expected.length &&
      expected.every((item, i) => isSameValue(value[i], item))
    );
  }
  if (!isObject(value) || !isObject(expected)) return false;
  const names = Object.keys(expected);
  return (
    names.length === Object.keys(value).length &&
    names.every((name) => Object.hasOwn(value, name) && isSameValue(value[name], expected[name]))
  );
}

/** Returns less than, equal to or more than 0, or undefined for values that have no order: a text and a number. */
export function compare(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (!isNumber(a) || !isNumber(b)) return undefined;
  return compareDecimals(decimalText(a), decimalText(b));
}

const isNumber = (value: unknown): value is number | ExactNumber =>
  typeof value === 'number' || value instanceof ExactNumber;

const decimalText = (value: number | ExactNumber): string =>
  value instanceof ExactNumber ? value.decimal : decimalOf(String(value));

/** By code points, as UTF-8 sorts. UTF-16, in which JavaScript compares, puts U+10000 before U+FFFF. */
function compareTexts(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  if (i === a.length || i === b.length) return a.length - b.length;
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** Moves surrogates behind all other code units. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** Compares two numbers in the form of decimalOf. Returns undefined where an exponent is too long to be computed with. */
function compareDecimals(a: string, b: string): number | undefined {
  if (a === b) return 0;
  const [x, y] = [partsOf(a), partsOf(b)];
  if (!x || !y) return undefined;
  if (x.sign !== y.sign) return x.sign - y.sign;
  return x.sign * compareMagnitudes(x, y);
}

interface Parts {
  /** -1, 0 or 1. */
  sign: number;
  /** Without zeros at either end. */
  digits: string;
  /** Number of digits before the point. */
  magnitude: bigint;
}

function partsOf(decimal: string): Parts | undefined {
  if (decimal === '0') return { sign: 0, digits: '', magnitude: 0n };
  const match = /^(-?)(\d+)e(-?\d{1,1100})$/.exec(decimal);
  if (!match) return undefined;
  const [, sign, digits = '', exponent = ''] = match;
  return { sign: sign === '-' ? -1 : 1, digits, magnitude: BigInt(exponent) + BigInt(digits.length) };
}

function compareMagnitudes(a: Parts, b: Parts): number {
  if (a.magnitude !== b.magnitude) return a.magnitude < b.magnitude ? -1 : 1;
  return a.digits < b.digits ? -1 : 1; // they differ, since the decimals do
}
