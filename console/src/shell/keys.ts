/** What a key does on every page. */
export type KeyCommand =
  | { kind: 'search' }
  | { kind: 'help' }
  | { kind: 'move'; by: 1 | -1 }
  | { kind: 'go'; to: (typeof PAGES)[keyof typeof PAGES] };

/** `g` and then one of these leads to a page. */
const PAGES = {
  ...{ o: '/', e: '/events', l: '/live', d: '/dead-letters' },
  ...{ r: '/rejections', s: '/sources', t: '/destinations' },
} as const;

/** Returns the command of a key, or undefined. `before`: the key before, if it was pressed a moment ago. */
export function commandOf(key: string, before: string | undefined): KeyCommand | undefined {
  if (before === 'g' && key in PAGES) return { kind: 'go', to: PAGES[key as keyof typeof PAGES] };
  if (key === '/') return { kind: 'search' };
  if (key === '?') return { kind: 'help' };
  if (key === 'j') return { kind: 'move', by: 1 };
  if (key === 'k') return { kind: 'move', by: -1 };
  return undefined;
}
