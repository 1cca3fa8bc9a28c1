/** One thing to choose in the palette. */
export interface PaletteEntry {
  kind: 'page' | 'action' | 'search';
  label: string;
  /** What stands beside it: the keys that do the same. */
  hint?: string;
  run: () => void;
}

/** Returns the entries whose label has every word of the text, in any order; those that begin with it come first. */
export function entriesFor(text: string, entries: readonly PaletteEntry[]): PaletteEntry[] {
  const asked = text.trim().toLowerCase();
  const words = asked.split(/\s+/);
  const found = entries.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  const begins = ({ label }: PaletteEntry): boolean => label.toLowerCase().startsWith(asked);
  return [...found.filter(begins), ...found.filter((entry) => !begins(entry))];
}
