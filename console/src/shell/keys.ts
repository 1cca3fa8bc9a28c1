import type { MenuPage } from './menu';

/** What a key does on every page. */
export type KeyCommand =
  { kind: 'search' } | { kind: 'help' } | { kind: 'move'; by: 1 | -1 } | { kind: 'go'; to: MenuPage['to'] };

/**
 * Returns the command of a key, or undefined.
 * @param before the key before, if it was pressed a moment ago
 * @param pages what `g` can go to
 */
export function commandOf(key: string, before: string | undefined, pages: readonly MenuPage[]): KeyCommand | undefined {
  const page = before === 'g' ? pages.find((entry) => entry.key === key) : undefined;
  if (page) return { kind: 'go', to: page.to };
  if (key === '/') return { kind: 'search' };
  if (key === '?') return { kind: 'help' };
  if (key === 'j') return { kind: 'move', by: 1 };
  if (key === 'k') return { kind: 'move', by: -1 };
  return undefined;
}
