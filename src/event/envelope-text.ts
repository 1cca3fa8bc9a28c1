/** No control characters and no lone surrogates. */
const TEXT = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

/** True for a text of at most 255 characters as an envelope may hold it. Types, ids and correlation ids are such texts. */
export function isEnvelopeText(text: string): boolean {
  return TEXT.test(text);
}
