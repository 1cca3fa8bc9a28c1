import { readFileSync } from 'node:fs';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { openBrowser, type OpenBrowser } from '../../support/browser';
import { openConsole, type ConsolePage } from '../../support/console-page';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { countRows } from '../../support/rows';

const FORMULA = '=1+2,"x"';
/** To look at: SHOTS=<directory> */
const { SHOTS } = process.env;

describe('the charts of the console in a real browser', () => {
  let database: TestDatabase;
  let all: TestApp;
  let chromium: OpenBrowser;
  let at: ConsolePage;
  beforeAll(async () => {
    database = await createTestDatabase();
    all = await startTestApp(database.url);
    chromium = await openBrowser();
    const event = (eventType: string, i: number) =>
      JSON.stringify({ eventType, subject: `order-${i}`, payload: { i } });
    const lines = Array.from({ length: 120 }, (_, i) => event(i % 3 === 0 ? 'order.sent' : 'order.paid', i));
    await postStream(all.url, 'charted', [...lines, '{}', '{}'].join('\n'));
    await postEvent(all.url, 'other', event(FORMULA, 0));
    await eventually(async () => expect(await countRows(database.pool, 'usage_daily')).toBe(3));
    await eventually(async () => {
      const { rows } = await database.pool.query<{ n: number }>('select sum(events)::integer as n from usage_daily');
      expect(rows[0]?.n).toBe(121);
    });
    at = await openConsole(chromium.browser, all.url);
    await at.page.goto(`${all.url}/console/`);
    await at.signIn(ADMIN_TOKEN);
    await at.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await all?.close();
    await database.drop();
  });
  afterEach(() => expect(at.faults.splice(0)).toEqual([]));

  const figure = (name: string) =>
    at.page
      .locator('.figure', { has: at.page.getByText(name, { exact: true }) })
      .locator('.figure-value')
      .innerText();

  it('shows the rates and the latency of the last hour on the overview, true to the last seconds', async () => {
    await at.open('/', 'Overview');
    await at.page.locator('.chart canvas').nth(1).waitFor();
    expect(Number.parseFloat(await figure('Accepted'))).toBeGreaterThan(0);
    expect(Number.parseFloat(await figure('Completed'))).toBeGreaterThan(0);
    expect(Number.parseFloat(await figure('Rejected'))).toBeGreaterThan(0);
    expect(await figure('Deliveries failed')).toBe('0/s');
    expect(await figure('Accepted to completed')).toMatch(/^[\d.]+ (ms|s)$/);
    const chart = at.page.getByRole('figure').filter({ hasText: 'Per second, last hour' });
    await chart.getByText('Newest values as a table').click();
    expect(await chart.locator('tbody tr').count()).toBeGreaterThan(5);
    await at.page.getByRole('link', { name: 'completed events' }).click();
    await at.page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    expect(at.page.url()).toContain('status=COMPLETED');
  }, 120_000);

  it('goes on drawing while numbers come, in the colours that are chosen', async () => {
    await at.open('/', 'Overview');
    await at.page.locator('.chart canvas').nth(1).waitFor();
    const colours = at.page.getByLabel('Colours');
    for (const scheme of ['dark', 'light', 'system']) await colours.selectOption(scheme);
    await at.page.locator('.chart canvas').nth(1).waitFor();
    expect(await at.page.locator('.chart canvas').count()).toBe(2);
    const read = at.page.waitForResponse((response) => response.url().includes('/v1/admin/metrics'));
    expect((await read).status()).toBe(200);
  }, 120_000);

  it('shows usage by day and type, and saves it as CSV', async () => {
    await at.open('/usage', 'Usage');
    await at.page.locator('.chart canvas').waitFor();
    expect(await at.page.getByRole('status').first().innerText()).toContain('121 events');
    const rows = at.page.getByRole('row');
    expect(await rows.filter({ hasText: 'order.paid' }).first().innerText()).toContain('80');
    const saving = at.page.waitForEvent('download');
    await at.page.getByRole('button', { name: 'Download as CSV' }).click();
    const csv = readFileSync(await (await saving).path(), 'utf8').split('\r\n');
    expect(csv[0]).toBe('tenant,day,type,events,bytes');
    expect(csv.slice(1, -1).map((line) => line.replace(/\d{4}-\d\d-\d\d/, 'day').replace(/\d+$/, 'n'))).toEqual([
      'charted,day,order.paid,80,n',
      'charted,day,order.sent,40,n',
      `other,day,"'=1+2,""x""",1,n`,
    ]);
    await at.page.getByLabel('Tenant').fill('other');
    await at.page.getByRole('button', { name: 'Filter' }).click();
    await at.page.getByText('1 event, ').waitFor();
    expect(at.page.url()).toContain('tenantId=other');
    await at.open('/usage?from=2020-01-01&to=2020-01-02', 'Usage');
    await at.page.getByText('Nothing was processed in these days.').waitFor();
  }, 120_000);

  it.each(['light', 'dark'] as const)(
    'has no violation that axe finds, in %s colours, and fits into a window of 360 px',
    async (colorScheme) => {
      const other = await openConsole(chromium.browser, all.url, { colorScheme });
      await other.page.goto(`${all.url}/console/`);
      await other.signIn(ADMIN_TOKEN);
      for (const [address, heading] of [
        ['/', 'Overview'],
        ['/usage', 'Usage'],
      ] as const) {
        for (const width of [1_280, 360]) {
          await other.page.setViewportSize({ width, height: 900 });
          await other.open(address, heading);
          await other.page.locator('.chart canvas').first().waitFor();
          await other.page.locator('.chart summary').first().click();
          expect([address, width, await other.violations()]).toEqual([address, width, []]);
          expect([address, await other.page.evaluate('document.documentElement.scrollWidth')]).toEqual([
            address,
            width,
          ]);
          if (SHOTS) {
            const path = `${SHOTS}/${address === '/' ? 'overview' : 'usage'}-${colorScheme}-${width}.png`;
            await other.page.screenshot({ path, fullPage: true });
          }
        }
      }
      expect(other.faults).toEqual([]);
      await other.context.close();
    },
    120_000,
  );
});
