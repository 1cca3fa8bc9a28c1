import type { ErrorDetail } from './problems';

/** Maximum UTF-16 code units of a message or pointer. The names in it are those of the caller, who may send long ones. */
export const MAX_TEXT_LENGTH = 1_000;

/** Cuts a message or pointer that is too long, and ends it with an ellipsis. */
export function shortText(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  const end = MAX_TEXT_LENGTH - 1;
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return `${text.slice(0, splitsPair ? end - 1 : end)}…`;
}

export function shortError({ pointer, code, message }: ErrorDetail): ErrorDetail {
  return { pointer: shortText(pointer), code, message: shortText(message) };
}
