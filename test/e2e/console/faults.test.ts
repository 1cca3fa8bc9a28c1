import type { Event } from '../../../src/event/event';
import { givenDeadLetters } from '../../support/admin';
import { givenOperator, heedAccess } from '../../support/credentials';
import { postEvent } from '../../support/e2e-http';
import { useConsole } from '../../support/fixtures/console';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { countRows } from '../../support/rows';

describe('the console while something is wrong', () => {
  const ui = useConsole();
  const { button, dialog, confirm, closeDialog } = ui;
  const page = () => ui.at.page;

  it('says that a page broke, with the error, while the menu still works', async () => {
    await page().route('**/v1/admin/destinations?*', (route) => route.fulfill({ json: { destinations: 5 } }));
    await ui.at.open('/destinations', 'This page broke');
    await page().getByText('Nothing was changed by it.').waitFor();
    expect(await ui.at.violations()).toEqual([]);
    await page().unroute('**/v1/admin/destinations?*');
    await button('Try again').click();
    await page().getByRole('heading', { level: 1, name: 'Destinations' }).waitFor();
  });

  it('says that something could not be read again, and since when what it shows is old', async () => {
    await ui.at.open('/', 'Overview');
    await page().locator('.figure', { hasText: 'Waiting to be published' }).getByRole('link').waitFor();
    const problem = { code: 'storage-unavailable', title: 'x', detail: 'No.', status: 503, retryable: false };
    await page().route('**/v1/admin/outbox', (route) => route.fulfill({ status: 503, json: problem }));
    const banner = page().getByText(
      /^Something could not be read again \(storage-unavailable\)\. What you see is as of \d\d:\d\d:\d\d\.$/,
    );
    await banner.waitFor();
    expect(await ui.at.violations()).toEqual([]);
    await page().unroute('**/v1/admin/outbox');
    await banner.waitFor({ state: 'detached' });
  });

  it('takes what a proxy says in place of /ready for no answer', async () => {
    await page().route('**/ready', (route) => route.fulfill({ contentType: 'text/html', body: '<p>Welcome</p>' }));
    await ui.at.open('/', 'Overview');
    await page().locator('.figure', { hasText: 'StreamForge' }).getByText('unknown', { exact: true }).waitFor();
    await ui.at.open('/health', 'Health');
    expect(await page().getByRole('alert').innerText()).toContain('without the checks of StreamForge');
    await page().unroute('**/ready');
  });

  it('repairs an event once although the response was lost and the button was pressed again', async () => {
    const [event] = (await givenDeadLetters(ui.api.pool, 1, { tenantId: 'lost-edit' })) as [Event];
    await ui.at.open(`/events/${event.id}`, event.type);
    await button('Edit and retry …').click();
    await page().getByLabel('New payload').fill('{"amount": 12.50}');
    await button('Show the difference').click();
    await page().route(
      '**/v1/admin/events/*/revisions',
      async (route) => {
        await route.fetch(); // carried out, but the browser hears nothing of it
        await route.abort('connectionreset');
      },
      { times: 1 },
    );
    await confirm('Store and retry 1 event');
    await dialog().getByText('StreamForge does not respond.').waitFor();
    await dialog().getByText('Pressing the button again is safe').waitFor();
    await confirm('Store and retry 1 event');
    await dialog().getByText('Revision 2 was stored').waitFor();
    await closeDialog();
    expect(await countRows(ui.api.pool, `event_revisions where event_id = '${event.id}'`)).toBe(1);
  });

  it('asks for another token when it is revoked in the middle of an action, and has done nothing', async () => {
    await givenDeadLetters(ui.api.pool, 2, { tenantId: 'revoked' });
    const [old, fresh] = [
      await givenOperator(ui.api.pool, { role: 'operator' }),
      await givenOperator(ui.api.pool, { role: 'operator' }),
    ];
    heedAccess(ui.api.app);
    const other = await ui.other();
    await other.page.goto(`${ui.api.url}/console/dead-letters?tenantId=revoked`);
    await other.signIn(old.text);
    await other.page.getByRole('link', { name: 'HTTP_5XX' }).click();
    await other.page.getByRole('button', { name: 'Retry all …' }).click();
    await other.page.getByText('This changes 2 dead letters.').waitFor();
    await ui.api.pool.query('update operators set revoked_at = now() where id = $1', [old.id]);
    heedAccess(ui.api.app);
    await other.page.getByRole('button', { name: 'Retry 2 dead letters' }).click();
    await other.page.getByText(/You have been signed out/).waitFor();
    expect(await statusCounts(ui.api.pool, 'revoked')).toEqual({ DLQ: 2 });
    await other.signIn(fresh.text);
    await other.page.getByRole('heading', { level: 1, name: 'HTTP_5XX: 2 dead letters' }).waitFor();
    expect(await other.page.getByRole('dialog').count()).toBe(0); // nobody repeats the action unasked
    expect(other.faults).toEqual([]);
    await other.context.close();
  });

  it('shows lines of 200 KB, control characters and 64 levels as text', async () => {
    const control = String.raw`\u0001\u0007\u001b[31m\u007f\u0085\u200b\u2066`;
    const deep = `${'{"a":'.repeat(62)}"<i>end</i>"${'}'.repeat(62)}`;
    const payload = `{"line":"${'<b>'.repeat(68_000)}","control":"${control}","deep":${deep}}`;
    const { status, body } = await postEvent(
      ui.api.url,
      'strange',
      `{"eventType":"strange","subject":"\u202etxt.\u0645\u0631\u062d\u0628\u0627<svg onload=alert(1)>","payload":${payload}}`,
    );
    expect(status).toBe(202);
    await ui.at.open(`/events/${body.id}`, 'strange');
    const tree = page().getByRole('tabpanel');
    await tree.getByText(/Show all 204,002 characters/).waitFor();
    for (const shown of ['\\u0001', '\\u001b', '\\u007f', '\\u0085', '\\u200b', '\\u2066']) {
      expect(await tree.innerText()).toContain(shown);
    }
    await page().getByRole('tab', { name: 'Exact text' }).click();
    expect(await page().getByLabel('Exact text of the payload').textContent()).toBe(payload);
    await page().getByRole('tab', { name: 'Indented' }).click();
    await page().getByText('<i>end</i>').first().waitFor();
    expect(await page().evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await ui.at.open('/events?tenantId=strange', 'Events');
    await page().getByText('\\u202e', { exact: false }).first().waitFor();
    expect(await ui.at.violations()).toEqual([]);
  });
});
