/** Up to this length String.includes is fast on every text. */
const MAX_SHORT = 16;

/**
 * Returns a test for texts that contain the part, in linear time (Knuth, Morris and Pratt). String.includes multiplies
 * the two lengths in the worst case: it took over a second for 8 KB in 260 KB.
 */
export function textSearch(part: string): (text: string) => boolean {
  if (part.length <= MAX_SHORT) return (text) => text.includes(part);
  const overlaps = overlapsOf(part);
  return (text) => {
    let matched = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && part.charCodeAt(matched) !== unit) matched = overlaps[matched - 1] as number;
      if (part.charCodeAt(matched) === unit) matched += 1;
      if (matched === part.length) return true;
    }
    return false;
  };
}

/** For each beginning of the part: the length of its longest proper end that is a beginning of the part too. */
function overlapsOf(part: string): number[] {
  const overlaps = [0];
  let length = 0;
  for (let i = 1; i < part.length; i++) {
    while (length > 0 && part.charCodeAt(length) !== part.charCodeAt(i)) length = overlaps[length - 1] as number;
    if (part.charCodeAt(length) === part.charCodeAt(i)) length += 1;
    overlaps.push(length);
  }
  return overlaps;
}
