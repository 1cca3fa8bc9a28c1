import type { Event } from '../../../src/event/event';
import { givenCompleted } from '../../support/admin';
import { createdSource } from '../../support/admin-sources';
import { givenOperator, heedAccess } from '../../support/credentials';
import { call } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useConsole } from '../../support/fixtures/console';

const SECRET = 'a secret of sixteen or more';

describe('what the console is used for every day', () => {
  const ui = useConsole();
  const { button, dialog, confirm, closeDialog } = ui;
  const page = () => ui.at.page;
  const heading = (name: string | RegExp) => page().getByRole('heading', { level: 1, name });

  describe('the palette', () => {
    const type = async (text: string) => {
      await page().keyboard.press('Control+k');
      await page().getByRole('combobox', { name: 'Page, action or search' }).waitFor();
      await page().keyboard.type(text);
    };

    it('goes to a page by a few letters, also while somebody types', async () => {
      await ui.at.open('/events', 'Events');
      await page().getByLabel('Tenant').focus();
      await type('destin');
      expect(await ui.at.violations()).toEqual([]);
      await page().keyboard.press('Enter');
      await heading('Destinations').waitFor();
      await page().keyboard.press('Meta+k');
      await page().keyboard.press('ArrowUp');
      await page().keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
      await heading('Destinations').waitFor();
    });

    it('searches what it does not know, and says when it can do nothing', async () => {
      await givenCompleted(ui.api.pool, 1, 'palette');
      await ui.at.open('/', 'Overview');
      await type('tenant:palette status:completed');
      await page().keyboard.press('Enter');
      await heading('Events').waitFor();
      expect(new URL(page().url()).search).toBe('?tenantId=palette&status=COMPLETED');
      await type('no such thing');
      await dialog().getByText('Nothing here is called that.').waitFor();
      expect(await ui.at.violations()).toEqual([]);
      await page().keyboard.press('Escape');
    });

    it('does what the page can do: it erases an event', async () => {
      const [event] = (await givenCompleted(ui.api.pool, 1, 'erased')) as [Event];
      await ui.at.open(`/events/${event.id}`, event.type);
      await button('Erase …').waitFor();
      await type('erase');
      await page().keyboard.press('Enter');
      await dialog().getByText('This changes 1 event.').waitFor();
      await confirm('Erase 1 event');
      await dialog().getByText('1 of 1 event will be erased in a moment.').waitFor();
      await closeDialog();
      await page().locator('.section > .hint').getByText('The payload was erased.').waitFor();
      const { rows } = await ui.api.pool.query('select payload from events where id = $1', [event.id]);
      expect(rows).toEqual([{ payload: 'null' }]);
      expect(await button('Erase …').count()).toBe(0);
    });

    it('has only what the role may do', async () => {
      const [event] = (await givenCompleted(ui.api.pool, 1, 'viewed')) as [Event];
      const viewer = await givenOperator(ui.api.pool, { role: 'viewer' });
      heedAccess(ui.api.app);
      const other = await ui.other();
      await other.page.goto(`${ui.api.url}/console/events/${event.id}`);
      await other.signIn(viewer.text);
      await other.page.getByRole('heading', { level: 1, name: event.type }).waitFor();
      await other.page.keyboard.press('Control+k');
      await other.page.getByRole('option', { name: 'Overview' }).waitFor();
      expect(await other.page.getByRole('option', { name: /Erase|Retry|Reprocess/ }).count()).toBe(0);
      await other.context.close();
    });
  });

  describe('a source', () => {
    const acceptOf = async (id: string) => {
      const { rows } = await ui.api.pool.query<{ accept: unknown }>('select accept from sources where id = $1', [id]);
      return rows[0]?.accept;
    };

    it('gets a filter, which the api judges, and loses it', async () => {
      const source = await createdSource(ui.api.url, { tenantId: 'filtered', name: 'filtered', secrets: [SECRET] });
      await ui.at.open(`/sources/${source.id}`, 'filtered');
      const editor = page().getByLabel(/^Filter over the event/);
      const open = async (text: string) => {
        await button('Edit the filter …').click();
        await editor.fill(text);
      };
      await open('{"payload":{"amount":{"$gt":100}');
      expect(await button('Save the filter').isDisabled()).toBe(true);
      await editor.fill('{"payload":{"amount":{"$above":100}}}');
      await confirm('Save the filter');
      await dialog().getByRole('alert').waitFor();
      expect(await acceptOf(source.id)).toBeNull();
      await editor.fill('{"payload":{"amount":{"$gt":100}}}');
      await confirm('Save the filter');
      await dialog().waitFor({ state: 'detached' });
      expect(await acceptOf(source.id)).toEqual({ payload: { amount: { $gt: 100 } } });
      await page().getByText('{"payload":{"amount":{"$gt":100}}}').waitFor();
      await open('');
      await confirm('Save the filter');
      await dialog().waitFor({ state: 'detached' });
      expect(await acceptOf(source.id)).toBeNull();
    });

    it('is deleted, also when the first response is lost, and leads back to the list', async () => {
      const source = await createdSource(ui.api.url, { tenantId: 'gone', name: 'gone', secrets: [SECRET] });
      await ui.at.open(`/sources/${source.id}`, 'gone');
      await button('Delete …').click();
      expect(await ui.at.violations()).toEqual([]);
      await page().route(
        `**/v1/admin/sources/${source.id}`,
        async (route) => {
          await route.fetch();
          await route.abort('connectionreset');
        },
        { times: 1 },
      );
      await confirm('Delete 1 source');
      await dialog().getByText('Pressing the button again is safe', { exact: false }).waitFor();
      await confirm('Delete 1 source');
      await heading('Sources').waitFor();
      await page().getByText('This tenant has no source.').waitFor();
      await eventually(async () => expect((await call(source.url, { method: 'POST', body: '{}' })).status).toBe(404));
    });
  });
});
