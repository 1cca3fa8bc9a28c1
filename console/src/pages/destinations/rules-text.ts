import { faultOfJson } from '../../json/exact-json';

/** What an editor holds of the rules of a destination. An empty text means none. */
export interface RulesText {
  /** JSON. */
  filter: string;
  /** JSONata or a JSON Pointer. */
  transform: string;
}

const isNone = (text: string): boolean => text.trim() === '';

/** Says why the filter is no JSON. Undefined: it is, or there is none. */
export const faultOfRules = ({ filter }: RulesText): string | undefined =>
  isNone(filter) ? undefined : faultOfJson(filter);

/** Writes the body of a request with the rules and what else it has. Numbers of the filter keep their digits. */
export function bodyOfRules({ filter, transform }: RulesText, others: Record<string, unknown> = {}): string {
  const written = Object.entries(others).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${[
    ...written,
    `"filter":${isNone(filter) ? 'null' : filter}`,
    `"transform":${isNone(transform) ? 'null' : JSON.stringify(transform)}`,
  ].join(',')}}`;
}
