import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import type { Locator } from 'playwright-core';
import { refusedEvents, unreadableEvents, type DemoEvent } from '../../../src/commands/seed/demo-events';
import { postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useConsole } from '../../support/fixtures/console';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { admin } from '../../support/receivers/destinations';

const ROOT = path.resolve(__dirname, '../../..');
const ALERTS = fs.readFileSync(path.join(ROOT, 'docker/observability/alerts.yml'), 'utf8');
/** A worker applies a change of a destination within this time. */
const KNOWN_EVERYWHERE_MS = 600;

describe('what an operator comes for', () => {
  const ui = useConsole();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-tasks-')); // without a .env
  let clicks: string[] = [];
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [path.join(ROOT, 'dist/src/commands/seed.js'), '--url', ui.api.url], {
      cwd: directory,
      env: { PATH: process.env.PATH, DATABASE_URL: ui.api.databaseUrl },
    });
  });
  beforeEach(() => (clicks = []));
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  const page = () => ui.at.page;
  async function click(what: Locator): Promise<void> {
    clicks.push(await what.innerText());
    await what.click();
  }
  const button = (name: string) => page().getByRole('button', { name, exact: true });
  const heading = (name: string | RegExp) => page().getByRole('heading', { level: 1, name });
  /** The group of dead letters whose message has this text. */
  const group = (message: string) => page().getByRole('row', { name: message }).getByRole('link').first();
  const countOf = async (status: string): Promise<number> => (await statusCounts(ui.api.pool, 'demo'))[status] ?? 0;
  const allAreCompleted = () =>
    eventually(async () => expect(Object.keys(await statusCounts(ui.api.pool, 'demo'))).toEqual(['COMPLETED']));
  const revisions = async (): Promise<string[]> => {
    const { rows } = await ui.api.pool.query<{ amount: string }>(
      `select payload->>'amount' as amount from event_revisions order by created_at`,
    );
    return rows.map(({ amount }) => amount);
  };

  /** The dead letters of `npm run seed` once more, under other ids. */
  async function givenAgain(name: string): Promise<void> {
    const { body } = await admin<{ destinations: { id: string }[] }>(ui.api.url, 'GET', '?tenantId=demo');
    const setUrl = async (url: string) => {
      await admin(ui.api.url, 'PATCH', `/${body.destinations[0]?.id}`, { url });
      await new Promise((resolve) => setTimeout(resolve, KNOWN_EVERYWHERE_MS));
    };
    const renamed = (event: DemoEvent) => JSON.stringify({ ...event, eventId: `${name}-${event.eventId}` });
    const before = await countOf('DLQ');
    await setUrl('demo://accounting?status=404');
    await postStream(ui.api.url, 'demo', [...refusedEvents(), ...unreadableEvents()].map(renamed).join('\n'));
    await eventually(async () => expect(await countOf('DLQ')).toBe(before + 7));
    await setUrl('demo://accounting');
  }

  it('finds the receiver that fails, repairs an event, retries the rest and sees them COMPLETED, in 12 clicks', async () => {
    const before = await countOf('COMPLETED');
    await ui.at.open('/', 'Overview');
    await page().getByRole('row', { name: 'accounting' }).first().waitFor();
    await click(group('payload.amount must be a number'));
    await click(page().getByRole('link', { name: 'invoice.overdue' }));
    await click(button('Edit and retry …'));
    await page().getByLabel('New payload').fill('{"days": 37, "amount": 56.90}');
    await click(button('Show the difference'));
    await click(button('Store and retry 1 event'));
    await page().getByText('Revision 2 was stored, and the event is sent on.').waitFor();
    await click(button('Close'));
    await page().locator('.lead').getByText('COMPLETED').waitFor();
    expect(await revisions()).toEqual(['56.90']);
    await click(page().getByRole('navigation').getByRole('link', { name: 'Dead letters' }));
    await click(group('responds so to everything'));
    await click(button('Retry all …'));
    await click(button('Retry 6 dead letters'));
    await click(page().getByRole('link', { name: 'See what becomes of them' }));
    await page()
      .getByRole('row', { name: /COMPLETED.*invoice-/ })
      .nth(6)
      .waitFor();
    await allAreCompleted();
    expect(await countOf('COMPLETED')).toBe(before + 7);
    expect(clicks.length).toBeLessThanOrEqual(12);
  });

  it('does the same with the keyboard alone', async () => {
    await givenAgain('keys');
    const { keyboard } = page();
    await ui.at.open('/', 'Overview');
    const press = async (...keys: string[]) => {
      for (const key of keys) await keyboard.press(key);
    };
    await press('g', 'd');
    await heading('Dead letters').waitFor();
    await group('payload.amount').waitFor();
    await press('j', 'j', 'Enter');
    await heading('HTTP_4XX: 1 dead letter').waitFor();
    await page().getByRole('link', { name: 'invoice.overdue' }).waitFor();
    await press('j', 'Enter');
    await heading('invoice.overdue').waitFor();
    await tabTo('Edit and retry …');
    await press('Enter');
    await page().getByLabel('New payload').waitFor();
    await eventually(async () => expect(await focused()).toBe('TEXTAREA'));
    await press('Control+A');
    await keyboard.type('{"days": 37, "amount": 56.91}');
    await tabTo('Show the difference');
    await press('Enter');
    await button('Store and retry 1 event').waitFor();
    await tabTo('Store and retry 1 event');
    await press('Enter');
    await page().getByText('Revision 2 was stored, and the event is sent on.').waitFor();
    await press('Escape');
    await page().locator('.lead').getByText('COMPLETED').waitFor();
    await press('g', 'd');
    await group('responds so to everything').waitFor();
    await press('j', 'Enter');
    await heading('HTTP_4XX: 6 dead letters').waitFor();
    await tabTo('Retry all …');
    await press('Enter');
    await page().getByText('This changes 6 dead letters.').waitFor();
    await tabTo('Retry 6 dead letters');
    await press('Enter');
    await page().getByText('6 of 6 dead letters sent on.').waitFor();
    await tabTo('See what becomes of them');
    await press('Enter');
    await heading('Events').waitFor();
    await allAreCompleted();
    expect(await revisions()).toEqual(['56.90', '56.91']);
  });

  it.each(['StreamForgeDlqGrowing', 'StreamForgeDlqWaiting'])(
    'retries the group from the link of the alert %s in 5 clicks, without typing',
    async (alert) => {
      await givenAgain(alert);
      const before = await countOf('COMPLETED');
      const link = new RegExp(`alert: ${alert}\\n[^]*?console_url: '.*{{ end }}/console(/.*)'`).exec(ALERTS)?.[1];
      await ui.at.open(link ?? 'none', 'Dead letters');
      await click(group('responds so to everything'));
      await click(button('Retry all …'));
      await click(button('Retry 6 dead letters'));
      await page().getByText('6 of 6 dead letters sent on.').waitFor();
      await eventually(async () => expect(await countOf('COMPLETED')).toBe(before + 6));
      expect(clicks.length).toBeLessThanOrEqual(5);
    },
  );

  const focused = () => page().evaluate<string>('document.activeElement?.tagName ?? ""');

  /** Presses Tab until the focus is on the element with this text. */
  async function tabTo(text: string): Promise<void> {
    for (let presses = 0; presses < 80; presses += 1) {
      if ((await page().evaluate<string>('document.activeElement?.textContent ?? ""')) === text) return;
      await page().keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach "${text}"`);
  }
});
