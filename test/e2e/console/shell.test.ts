import { ADMIN_TOKEN } from '../../support/app';
import type { ConsolePage } from '../../support/console-page';
import { useConsole } from '../../support/fixtures/console';

describe('the shell of the console', () => {
  const ui = useConsole();

  async function windowOf(width: number): Promise<ConsolePage> {
    const other = await ui.other({ width });
    await other.page.goto(`${ui.api.url}/console/`);
    await other.signIn(ADMIN_TOKEN);
    await other.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    return other;
  }
  const menuOf = ({ page }: ConsolePage) => page.getByRole('navigation', { name: 'Pages' });
  const buttonOf = ({ page }: ConsolePage) => page.getByRole('button', { name: 'Menu' });

  it('has its menu beside the content in a wide window, and a header of one row', async () => {
    const wide = await windowOf(1_280);
    expect(await buttonOf(wide).isVisible()).toBe(false);
    await menuOf(wide).getByRole('list', { name: 'Repair' }).getByRole('link', { name: 'Dead letters' }).click();
    await wide.page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
    expect(await menuOf(wide).locator('[aria-current=page]').allInnerTexts()).toEqual(['Dead letters']);
    const header = await wide.page.getByRole('banner').boundingBox();
    expect(header?.height).toBeLessThan(60);
    expect(await wide.violations()).toEqual([]);
    await wide.context.close();
  });

  it('opens and closes its menu with the keyboard alone in a narrow window', async () => {
    const narrow = await windowOf(360);
    const { keyboard } = narrow.page;
    expect(await menuOf(narrow).isVisible()).toBe(false);
    await buttonOf(narrow).focus();
    await keyboard.press('Enter');
    await menuOf(narrow).waitFor();
    expect(await narrow.violations()).toEqual([]);
    await keyboard.press('Tab');
    await keyboard.press('Escape');
    await menuOf(narrow).waitFor({ state: 'hidden' });
    expect(await buttonOf(narrow).evaluate('document.activeElement.textContent')).toBe('Menu');
    await keyboard.press('Enter');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await narrow.page.getByRole('heading', { level: 1, name: 'Live' }).waitFor();
    await menuOf(narrow).waitFor({ state: 'hidden' });
    expect(await narrow.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await narrow.context.close();
  });
});
