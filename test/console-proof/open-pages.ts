import type { ConsolePage } from '../support/console-page';
import type { ProvenPage, StoredIds } from './pages';

/** The times of one page, or of an action on it, in ms. */
export interface PageTimes {
  name: string;
  times: number[];
}

/**
 * Opens each page in turn, `rounds` times, and measures from the start of the navigation until its data is there and a key
 * has opened the help. An action takes from the click until its result is there.
 */
export async function timePages(
  { page }: ConsolePage,
  url: string,
  pages: readonly ProvenPage[],
  ids: StoredIds,
  rounds: number,
): Promise<PageTimes[]> {
  const byName = new Map<string, number[]>();
  const note = (name: string, ms: number): void => void byName.set(name, [...(byName.get(name) ?? []), ms]);
  for (let round = 0; round < rounds; round++) {
    for (const { name, address, shown, action } of pages) {
      const lacking = (error: unknown): never => {
        throw new Error(`${name}, at ${page.url()}, does not get there`, { cause: error });
      };
      await page.goto(`${url}/console${typeof address === 'string' ? address : address(ids)}`, { waitUntil: 'commit' });
      await page.evaluate(untilThere(shown)).catch(lacking);
      await page.keyboard.press('?');
      note(name, await page.evaluate<number>(untilThere('dialog[open], [role="dialog"]')).catch(lacking));
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      if (!action) continue;
      const startedMs = performance.now();
      await action.act(page);
      await page.locator(action.shown).first().waitFor().catch(lacking);
      note(action.name, performance.now() - startedMs);
    }
  }
  return [...byName].map(([name, times]) => ({ name, times: times.sort((a, b) => a - b) }));
}

const PATIENCE_MS = 30_000;

/**
 * Waits in the page for what the selector finds, and until nothing is loading. Returns the time since the navigation. It looks
 * at each frame: Playwright looks again after up to half a second, which would be measured too.
 */
const untilThere = (selector: string): string => `new Promise((resolve, reject) => {
  const look = () => {
    const isThere = document.querySelector(${JSON.stringify(selector)}) && !document.querySelector('.wait');
    if (isThere) resolve(performance.now());
    else if (performance.now() > ${PATIENCE_MS}) reject(new Error(${JSON.stringify(`not there: ${selector}`)}));
    else requestAnimationFrame(look);
  };
  look();
})`;

/** The smallest time that at least this share of the times do not exceed. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
