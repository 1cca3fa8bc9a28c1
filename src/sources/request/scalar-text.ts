import type { JsonDocument } from '../../expressions/json-document';

/** Returns a string as it is, a number as its digits as sent, true and false as words; undefined for anything else. */
export function scalarText(document: JsonDocument): string | undefined {
  const { value } = document;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return document.text;
  return typeof value === 'boolean' ? String(value) : undefined;
}
