/** Calls `listener` when the colours of the page change, by its switch or by the operating system. */
export function watchColours(listener: () => void): () => void {
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const chosen = new MutationObserver(listener);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  scheme.addEventListener('change', listener);
  return () => {
    chosen.disconnect();
    scheme.removeEventListener('change', listener);
  };
}
