/** Longer names get no suggestion, which bounds the cost of a refused name. */
const MAX_NAME_LENGTH = 64;

/**
 * Returns the candidate that a mistyped name probably means: the same name in another spelling (`event_type` for
 * `eventType`), or one with at most two typing errors.
 */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const sent = bare(name);
  const sameName = candidates.find((candidate) => bare(candidate) === sent);
  if (sameName !== undefined) return sameName;
  let closest: string | undefined;
  let fewest = Math.min(2, Math.floor(sent.length / 3)) + 1; // short names differ in too much to be typing errors
  for (const candidate of candidates) {
    const errors = typingErrors(sent, bare(candidate), fewest);
    if (errors >= fewest) continue;
    fewest = errors;
    closest = candidate;
  }
  return closest;
}

/** Without case and separators: `event_type`, `Event-Type` and `eventType` are one name. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[\s_.-]/g, '');
}

/** Counts inserted, missing, wrong and swapped letters. Stops counting at `limit`. */
function typingErrors(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let errors = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) errors = Math.min(errors, (beforeLast[j - 2] ?? 0) + 1);
      row.push(errors);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit;
}
