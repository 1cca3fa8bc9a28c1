import { createHmac } from 'node:crypto';
import { ADMIN_TOKEN } from '../../support/app';
import { createdSource } from '../../support/admin-sources';
import { call, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useConsole } from '../../support/fixtures/console';
import { admin, givenDestination } from '../../support/receivers/destinations';
import { isSignedBy, TestReceiver } from '../../support/receivers/receiver';

const SECRET = 'a secret of sixteen or more';

describe('the console on a destination', () => {
  const ui = useConsole({ DESTINATIONS_ALLOW_PRIVATE: 'true' });
  const { button, dialog, confirm, closeDialog } = ui;
  const page = () => ui.at.page;
  let receiver: TestReceiver;
  beforeAll(async () => {
    receiver = await TestReceiver.start();
  });
  afterAll(() => receiver.stop());

  const given = (tenantId: string, path: string, options: object = {}) =>
    givenDestination(ui.api.url, { ...{ tenantId, url: `${receiver.url}/${path}`, description: path }, ...options });
  const receivedAt = (path: string) => receiver.received.filter((one) => one.path === `/${path}`);
  /** Events that are done before there is a destination. */
  async function givenEvents(tenantId: string, types: readonly string[]): Promise<void> {
    const lines = types.map((eventType, i) => JSON.stringify({ eventType, subject: `order-${i}`, payload: { n: i } }));
    await postStream(ui.api.url, tenantId, lines.join('\n'));
    await eventually(async () => {
      const { rows } = await ui.api.pool.query<{ n: number }>(
        `select count(*)::int as n from events e join processing_attempts a on a.event_id = e.id
          where e.tenant_id = $1 and a.status = 'SUCCESS'`,
        [tenantId],
      );
      expect(rows[0]?.n).toBe(types.length);
    });
  }

  it('delivers stored events to it once they are counted', async () => {
    await givenEvents('filled', ['order.paid', 'order.sent', 'invoice.paid']);
    const { id } = await given('filled', 'late');
    await ui.at.open(`/destinations/${id}`, 'late');
    await button('Backfill …').click();
    await dialog().getByLabel('Type').fill('order.*');
    expect(await ui.at.violations()).toEqual([]);
    await confirm('Count the events');
    await dialog().getByText('This changes 2 events.').waitFor();
    await dialog().getByLabel('Note for the audit trail').fill('they were away');
    await confirm('Deliver 2 events');
    await dialog().getByText('2 of 2 events queued for the backfill.').waitFor();
    await eventually(() => expect(receivedAt('late')).toHaveLength(2));
    const { rows } = await ui.api.pool.query(
      `select note, counts from admin_audit where action = 'destination.backfill'`,
    );
    expect(rows).toEqual([{ note: 'they were away', counts: { matched: 2 } }]);
    await dialog().getByRole('link', { name: 'Follow the replay' }).click();
    await page()
      .getByRole('heading', { level: 1, name: /2 events$/ })
      .waitFor();
  }, 120_000);

  it('gives it another secret, which is shown once, and can give up one that the receiver never got', async () => {
    const { id, secret: first } = await given('signed', 'signed');
    await ui.at.open(`/destinations/${id}`, 'signed');
    const rotated = async (): Promise<string> => {
      await confirm('Make 1 secret');
      const secret = await dialog().getByLabel('Signing secret').inputValue();
      expect(secret).toMatch(/^whsec_/);
      await closeDialog();
      return secret;
    };
    const isSignedWith = async (...secrets: string[]) => {
      await button('Send a test …').click();
      await confirm('Send 1 request');
      await dialog().getByText('HTTP 200').waitFor();
      await closeDialog();
      const newest = receivedAt('signed').at(-1);
      return secrets.map((secret) => isSignedBy(secret, newest));
    };
    await button('New secret …').click();
    expect(await dialog().getByRole('checkbox').count()).toBe(0);
    const lost = await rotated();
    expect(await isSignedWith(first, lost)).toEqual([true, true]);
    await button('New secret …').click();
    await dialog().getByLabel('The present secret never reached the receiver', { exact: false }).check();
    expect(await ui.at.violations()).toEqual([]);
    const second = await rotated();
    expect(await isSignedWith(first, lost, second)).toEqual([true, false, true]);
  }, 120_000);

  it('changes its rules, and shows at each change what becomes of a stored event', async () => {
    await postStream(
      ui.api.url,
      'ruled',
      `{"eventType":"order.paid","subject":"order-1","payload":{"amount":10.10,"big":12345678901234567890}}`,
    );
    const { id } = await given('ruled', 'ruled');
    const stored = async () =>
      (await ui.api.pool.query('select filter, transform from destinations where id = $1', [id])).rows as object[];
    await ui.at.open(`/destinations/${id}`, 'ruled');
    await page().getByText('No attempt ended in the last hour.').waitFor();
    await button('Edit the rules …').click();
    const filter = dialog().getByLabel(/^Filter over the event/);
    const transform = dialog().getByLabel(/^Transform/);
    await dialog().getByText('This would be sent:').waitFor();
    expect(await dialog().getByLabel('Request').innerText()).toContain('"big":12345678901234567890');
    await filter.fill('{"payload":{"amount":{"$gt":100}}');
    expect(await button('Save the rules').isDisabled()).toBe(true);
    await filter.fill('{"payload":{"amount":{"$gt":100}}}');
    await dialog().getByText('not sent: the event does not match the filter').waitFor();
    await filter.fill('{"payload":{"amount":{"$above":10}}}');
    await dialog().getByRole('alert').waitFor();
    await filter.fill('{"payload":{"amount":{"$gt":10.05}}}');
    await transform.fill('{ "text": "Paid " & $string(payload.amount) }');
    await dialog().getByText('{"text":"Paid 10.1"}').waitFor();
    expect(await ui.at.violations()).toEqual([]);
    expect(await stored()).toEqual([{ filter: null, transform: null }]);
    await confirm('Save the rules');
    await dialog().waitFor({ state: 'detached' });
    expect(await stored()).toEqual([
      { filter: { payload: { amount: { $gt: 10.05 } } }, transform: '{ "text": "Paid " & $string(payload.amount) }' },
    ]);
    expect(receivedAt('ruled')).toEqual([]);
  }, 120_000);

  it('shows how its attempts of the last hour went', async () => {
    const { id } = await given('charted', 'charted');
    await ui.api.pool.query(
      `insert into destination_minutes (destination_id, minute, delivered, failed, latency_ms)
       select $1, date_trunc('minute', now()) - n * interval '1 minute', 3, n, '{0,0,0,0,3,0,0,0,0,0,0,0,0}'
         from generate_series(1, 9) n`,
      [id],
    );
    await ui.at.open(`/destinations/${id}`, 'charted');
    const chart = page().getByRole('figure').filter({ hasText: 'Attempts a minute, last hour' });
    await chart.locator('canvas').waitFor();
    await chart.getByText('Newest values as a table').click();
    const rows = (await chart.locator('tbody tr').allInnerTexts()).map((row) => row.split('\t').slice(1).join(' '));
    expect(rows.filter((row) => row !== '0 0').slice(0, 3)).toEqual(['3 1', '3 2', '3 3']);
    await page().getByText('Time of successful attempts, last hour', { exact: true }).waitFor();
    expect(await ui.at.violations()).toEqual([]);
  }, 120_000);

  it.each(['light', 'dark'] as const)(
    'fits into a window of 360 px, in %s colours',
    async (colorScheme) => {
      const { id } = await given('narrow', 'narrow');
      const other = await ui.other({ width: 360, colorScheme });
      await other.page.goto(`${ui.api.url}/console/`);
      await other.signIn(ADMIN_TOKEN);
      await other.open(`/destinations/${id}`, 'narrow');
      for (const [name, shown] of [
        ['Edit the rules …', 'There is no event to try it on yet.'],
        ['Backfill …', 'Count the events'],
        ['New secret …', 'Make 1 secret'],
      ] as const) {
        await other.page.getByRole('button', { name }).click();
        await other.page.getByRole('dialog').getByText(shown).waitFor();
        expect(await other.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
        expect(await other.violations()).toEqual([]);
        await other.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
        await other.page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      await other.context.close();
    },
    120_000,
  );

  it('shows on the overview what waits to be delivered, and leads to it', async () => {
    const { id } = await given('held', 'held');
    await admin(ui.api.url, 'POST', `/${id}/pause`);
    await postStream(ui.api.url, 'held', '{"eventType":"order.held","subject":"order-1","payload":1}');
    await ui.at.open('/', 'Overview');
    const figure = (name: string) => page().locator('.figure', { has: page().getByText(name, { exact: true }) });
    const waiting = figure('Waiting to be delivered');
    await waiting.getByText(/^oldest due for /).waitFor();
    expect(await waiting.getByRole('link').innerText()).toBe('1');
    expect(await figure('Waiting for a retry').innerText()).toContain('nothing waits');
    await waiting.getByRole('link').click();
    await page().getByRole('link', { name: 'order.held' }).waitFor();
    expect(page().url()).toContain('status=DELIVERING');
  }, 120_000);

  it('says on the overview which sources take nothing, and whose records were refused', async () => {
    const options = { tenantId: 'troubled', secrets: [SECRET] };
    await createdSource(ui.api.url, { ...options, name: 'fine' });
    await createdSource(ui.api.url, { ...options, name: 'waits', secrets: [] });
    const refused = await createdSource(ui.api.url, { ...options, name: 'odd' });
    const body = '{"type":"sale"}';
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const headers = { 'content-type': 'application/json', 'x-signature': signature };
    await call(refused.url, { method: 'POST', headers, body });
    await ui.at.open('/', 'Overview');
    const section = page().locator('.section', { hasText: 'Sources in trouble' });
    await section.getByRole('link', { name: 'waits' }).waitFor();
    const ofRefused = section.getByRole('link', { name: '1 record refused in the last hour' });
    await ofRefused.waitFor({ timeout: 90_000 }); // it is read apart, and again after a while if it was not counted yet
    const lines = await section.getByRole('listitem').allInnerTexts();
    expect(lines.map((line) => line.replace(/\s+/g, ' '))).toEqual([
      'needs secret waits troubled',
      'active odd troubled, 1 record refused in the last hour',
    ]);
    await ofRefused.click();
    await page().getByRole('heading', { level: 1, name: 'Rejections' }).waitFor();
    expect(page().url()).toContain(`sourceId=${refused.id}`);
    expect(await page().locator('tbody tr').count()).toBe(1);
  }, 120_000);
});
