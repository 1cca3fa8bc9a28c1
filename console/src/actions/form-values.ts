import { formatInstant } from '../format/times';

/** The text of a field without white space around it; undefined if it is empty. */
export function textIn(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}

/** The words of a field, which stand apart by white space or commas; null if there is none. */
export function wordsIn(form: FormData, name: string): string[] | null {
  const words = (textIn(form, name) ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return words.length === 0 ? null : words;
}

/** A whole number; null if the field is empty. */
export function numberIn(form: FormData, name: string): number | null {
  const text = textIn(form, name);
  return text === undefined ? null : Number(text);
}

/** The instant of a field `datetime-local` in UTC; null if it is empty. */
export function instantIn(form: FormData, name: string): string | null {
  const text = textIn(form, name);
  return text === undefined ? null : new Date(text).toISOString();
}

/** The value of a field `datetime-local`, which shows minutes. */
export const localMinute = (instant: string | null): string =>
  instant === null ? '' : formatInstant(instant).slice(0, 'yyyy-mm-dd hh:mm'.length).replace(' ', 'T');
