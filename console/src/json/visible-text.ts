/** Control and format characters: a browser draws them as nothing, or they reorder the text around them (Unicode TR 36). */
const INVISIBLE = /(?![\t\n\r])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Replaces such characters with their escapes, so that a person sees that they are there. Line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    Array.from({ length: character.length }, (_, i) => escapeOf(character.charCodeAt(i))).join(''),
  );
}

const escapeOf = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;
