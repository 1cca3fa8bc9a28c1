import { rememberingUtcText } from '../../event/instant';
import type { JsonDocument } from '../../expressions/json-document';

/** Numbers below this are seconds since 1970; they reach the year 5138. Others are milliseconds. */
const FIRST_MILLISECONDS = 1e11;
/** The largest time of a Date. */
const LATEST_MS = 8.64e15;
const NUMBER = /^\d{1,16}(?:\.\d+)?$/;
/** `2026-01-31 12:00:00`, and offsets without a colon. */
const NEARLY_RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:([Zz])|UTC|([+-]\d\d):?(\d\d))$/;
/** The date of mails and of HTTP, such as `Sat, 31 Jan 2026 12:00:00 +0000`. */
const RFC_5322 = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})$/;

/** Events of the same second are common. */
const sentText = rememberingUtcText();

/** Returns an instant as RFC 3339; a text that is none is returned as it is, and refused with the field's name. */
export function foundInstant(document: JsonDocument): string | undefined {
  const { value } = document;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = typeof value === 'number' ? String(value) : value.trim(); // not the text of the document, which costs a scan
  if (NUMBER.test(text)) {
    const number = Number(text);
    const ms = number < FIRST_MILLISECONDS ? number * 1_000 : number;
    return ms > LATEST_MS ? text : sentText(ms);
  }
  const parts = NEARLY_RFC_3339.exec(text);
  if (parts) {
    const [, day, time, , hours, minutes] = parts;
    return `${day}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`;
  }
  if (!RFC_5322.test(text)) return text;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString(); // a 99th of January is none
}
