import { resolve, type ApiDocument, type Operation, type Schema } from './openapi-inputs';

/** A value that the schema does not allow, and what is wrong with it. */
export interface WrongValue {
  what: string;
  value: unknown;
}

/** One value of each JSON type, and of texts that a lenient reader would convert to another type. */
const OF_EVERY_TYPE: unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  5.5,
  '',
  'x',
  '5',
  'true',
  [],
  ['x'],
  [null],
  [5],
  {},
  { x: 1 },
  { length: 1, 0: 'x' },
];

/** Returns values that a body property with this schema must not have: other types, and values beyond its bounds. */
export function wrongValuesOf(schema: Schema, document: ApiDocument): WrongValue[] {
  const of = resolve(document, schema);
  const candidates = [...OF_EVERY_TYPE, ...beyondBounds(of)];
  return candidates.filter((value) => !allows(of, value, document)).map((value) => ({ what: shown(value), value }));
}

function beyondBounds({ minimum, maximum, minLength, maxLength, minItems, maxItems, items }: Schema): unknown[] {
  const text = (length: number): string => 'x'.repeat(length);
  const list = (length: number): string[] => Array.from({ length }, () => 'x');
  return [
    ...(minimum === undefined ? [] : [minimum - 1, minimum + 0.5]),
    ...(maximum === undefined ? [] : [maximum + 1]),
    ...(minLength ? [text(minLength - 1)] : []),
    ...(maxLength === undefined ? [] : [text(maxLength + 1)]),
    ...(minItems ? [list(minItems - 1)] : []),
    ...(maxItems === undefined ? [] : [list(maxItems + 1)]),
    ...(items ? ['x', ['x', 1], ['x', null], ['x', ['x']]] : []),
  ];
}

/** Whether a JSON value is of this schema. Covers the keywords that the bodies of the admin endpoints use. */
export function allows(schema: Schema, value: unknown, document: ApiDocument): boolean {
  const of = resolve(document, schema);
  const all = of.allOf?.every((part) => allows(part, value, document)) ?? true;
  if (of.enum) return all && of.enum.includes(value);
  const types = [of.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) return false;
  if (typeof value === 'number') return all && value >= (of.minimum ?? -Infinity) && value <= (of.maximum ?? Infinity);
  if (typeof value === 'string')
    return all && isWithin(value.length, of.minLength, of.maxLength) && hasFormat(of, value);
  if (!Array.isArray(value)) return all;
  const { items = {} } = of;
  return (
    all && isWithin(value.length, of.minItems, of.maxItems) && value.every((item) => allows(items, item, document))
  );
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function isWithin(length: number, min = 0, max = Infinity): boolean {
  return length >= min && length <= max;
}

function hasFormat({ format }: Schema, value: string): boolean {
  return format === undefined || (format === 'date-time' && /^\d{4}-/.test(value));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 20)}… (${text.length} characters)` : text;
}

/** The schema of an operation's JSON body; undefined when it takes none. */
export function bodySchemaOf(operation: Operation, document: ApiDocument): Schema | undefined {
  const schema = operation.requestBody?.content['application/json']?.schema;
  return schema && resolve(document, schema);
}
