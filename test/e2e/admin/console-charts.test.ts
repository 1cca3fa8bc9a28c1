import { readFileSync } from 'node:fs';
import { ADMIN_TOKEN } from '../../support/app';
import { postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useConsole } from '../../support/fixtures/console';
import { countRows } from '../../support/rows';

const FORMULA = '=1+2,"x"';
/** To look at: SHOTS=<directory> */
const { SHOTS } = process.env;

interface Metrics {
  through: string;
  other: { points: [string, number][] };
}

describe('the charts of the console in a real browser', () => {
  const ui = useConsole();
  const page = () => ui.at.page;
  const event = (eventType: string, i: number) => JSON.stringify({ eventType, subject: `order-${i}`, payload: { i } });
  beforeAll(async () => {
    const lines = Array.from({ length: 120 }, (_, i) => event(i % 3 === 0 ? 'order.sent' : 'order.paid', i));
    await postStream(ui.api.url, 'charted', [...lines, '{}', '{}'].join('\n'));
    await postEvent(ui.api.url, 'other', event(FORMULA, 0));
    await eventually(async () => expect(await countRows(ui.api.pool, 'usage_daily')).toBe(3));
    await eventually(async () => {
      const { rows } = await ui.api.pool.query<{ n: number }>('select sum(events)::integer as n from usage_daily');
      expect(rows[0]?.n).toBe(121);
    });
  }, 120_000);

  const figure = (name: string) =>
    page()
      .locator('.figure', { has: page().getByText(name, { exact: true }) })
      .locator('.figure-value')
      .innerText();

  it('shows usage by day and type, and saves it as CSV', async () => {
    await ui.at.open('/usage', 'Usage');
    await page().locator('.chart canvas').waitFor();
    expect(await page().getByRole('status').first().innerText()).toContain('121 events');
    const rows = page().getByRole('row');
    expect(await rows.filter({ hasText: 'order.paid' }).first().innerText()).toContain('80');
    const saving = page().waitForEvent('download');
    await page().getByRole('button', { name: 'Download as CSV' }).click();
    const csv = readFileSync(await (await saving).path(), 'utf8').split('\r\n');
    expect(csv[0]).toBe('tenant,day,type,events,bytes,deliveries,processed,processedBytes,closed');
    expect(
      csv
        .slice(1, -1)
        .map((line) =>
          line.replace(/\d{4}-\d\d-\d\d/, 'day').replace(/(?<=,\d+,)\d+(?=,\d+,\d+,\d+,false$)|\d+(?=,false$)/g, 'n'),
        ),
    ).toEqual([
      'charted,day,order.paid,80,n,0,80,n,false',
      'charted,day,order.sent,40,n,0,40,n,false',
      `other,day,"'=1+2,""x""",1,n,0,1,n,false`,
    ]);
    await page().getByLabel('Tenant').fill('other');
    await page().getByRole('button', { name: 'Filter' }).click();
    await page().getByText('1 event, ').waitFor();
    expect(page().url()).toContain('tenantId=other');
    await ui.api.pool.query(
      `insert into usage_intake select 'typed', current_date, 'type-' || n, n, n, 0 from generate_series(1, 250) n`,
    );
    await ui.at.open('/usage?tenantId=typed', 'Usage');
    await page().getByText('The largest 200 of 250; the CSV has all.').waitFor();
    expect(await page().getByLabel('By type').locator('tbody tr').count()).toBe(200);
    await ui.at.open('/usage?from=2020-01-01&to=2020-01-02', 'Usage');
    await page().getByText('Nothing was accepted in these days.').waitFor();
  }, 120_000);

  it('shows the rates and the latency of the last hour on the overview, true to the last seconds', async () => {
    await ui.at.open('/', 'Overview');
    await page().locator('.chart canvas').nth(1).waitFor();
    const lines = Array.from({ length: 30 }, (_, i) => event('order.rated', i));
    await postStream(ui.api.url, 'rated', [...lines, '{}'].join('\n'));
    await eventually(async () => {
      for (const name of ['Accepted', 'Completed', 'Rejected']) {
        expect([name, Number.parseFloat(await figure(name)) > 0]).toEqual([name, true]);
      }
    });
    expect(await figure('Deliveries failed')).toBe('0/s');
    expect(await figure('Accepted to completed')).toMatch(/^[\d.]+ (ms|s)$/);
    const chart = page().getByRole('figure').filter({ hasText: 'Per second, last hour' });
    await chart.getByText('Newest values as a table').click();
    expect(await chart.locator('tbody tr').count()).toBeGreaterThan(5);
    await page().getByRole('link', { name: 'completed events' }).click();
    await page().getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    expect(page().url()).toContain('status=COMPLETED');
  }, 120_000);

  it('does not tell what was counted long ago as the last minute', async () => {
    await page().route('**/v1/admin/metrics?*', async (route) => {
      const metrics = (await (await route.fetch()).json()) as Metrics;
      await route.fulfill({ json: { ...metrics, through: new Date(Date.now() - 180_000).toISOString() } });
    });
    await ui.at.open('/', 'Overview');
    await page()
      .locator('.figure', { hasText: 'Accepted' })
      .getByText(/^Counted up to \d\d:\d\d:\d\d ·/)
      .first()
      .waitFor();
    expect(await figure('Accepted')).toBe('–');
    await page().unroute('**/v1/admin/metrics?*');
  }, 120_000);

  it('says up to when usage is counted, if that is more than a minute ago', async () => {
    await ui.at.open('/usage', 'Usage');
    await page().locator('.chart canvas').waitFor();
    expect(await page().getByText('Counted up to').count()).toBe(0);
    await page().route('**/v1/admin/usage?*', async (route) => {
      const usage = (await (await route.fetch()).json()) as { countedThrough: string };
      await route.fulfill({ json: { ...usage, countedThrough: new Date(Date.now() - 180_000).toISOString() } });
    });
    await ui.at.open('/usage?tenantId=charted', 'Usage');
    await page()
      .getByText(/^Counted up to .+\. Counting goes on while a publisher runs\.$/)
      .waitFor();
    await page().unroute('**/v1/admin/usage?*');
  }, 120_000);

  it('draws anew when numbers come, and in the colours that are chosen', async () => {
    const kept = new Map<string, Metrics>();
    let factor = 1;
    await page().route('**/v1/admin/metrics?*', async (route) => {
      const { searchParams } = new URL(route.request().url());
      const of = `${searchParams.get('measure')} ${searchParams.get('quantile')}`;
      const metrics = kept.get(of) ?? ((await (await route.fetch()).json()) as Metrics);
      kept.set(of, metrics);
      const points = metrics.other.points.map(([at, value]) => [at, value * factor]);
      await route.fulfill({ json: { ...metrics, other: { ...metrics.other, points } } });
    });
    const drawn = () => page().evaluate<string>("document.querySelector('.chart canvas').toDataURL()");
    const colours = page().getByLabel('Colours');
    await ui.at.open('/', 'Overview');
    await page().locator('.chart canvas').nth(1).waitFor();
    const light = await drawn();
    await colours.selectOption('dark');
    await eventually(async () => expect((await drawn()) === light).toBe(false));
    await colours.selectOption('system');
    await eventually(async () => expect((await drawn()) === light).toBe(true));
    factor = 7;
    await eventually(async () => expect((await drawn()) === light).toBe(false));
    expect(await page().locator('.chart canvas').count()).toBe(2);
    await page().unroute('**/v1/admin/metrics?*');
  }, 120_000);

  it.each(['light', 'dark'] as const)(
    'has no violation that axe finds, in %s colours, and fits into a window of 360 px',
    async (colorScheme) => {
      const other = await ui.other({ colorScheme });
      await other.page.goto(`${ui.api.url}/console/`);
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
