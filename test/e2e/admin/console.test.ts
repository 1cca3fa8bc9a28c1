import type { Event } from '../../../src/event/event';
import { givenCompleted, givenDeadLetters } from '../../support/admin';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { openBrowser, type OpenBrowser } from '../../support/browser';
import { openConsole, type ConsolePage } from '../../support/console-page';
import { givenOperator, heedAccess } from '../../support/credentials';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { getEvent, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { givenDestination } from '../../support/receivers/destinations';
import { answer, TestReceiver } from '../../support/receivers/receiver';

interface AuditRow {
  action: string;
  actor: string;
  note: string | null;
  counts: Record<string, number>;
}

describe('the console in a real browser', () => {
  let database: TestDatabase;
  let all: TestApp;
  let receiver: TestReceiver;
  let chromium: OpenBrowser;
  let at: ConsolePage;
  beforeAll(async () => {
    database = await createTestDatabase();
    receiver = await TestReceiver.start();
    all = await startTestApp(database.url, { DESTINATIONS_ALLOW_PRIVATE: 'true' });
    chromium = await openBrowser();
    at = await openConsole(chromium.browser, all.url);
    await at.page.goto(`${all.url}/`);
    await at.signIn(ADMIN_TOKEN);
    await at.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await all?.close();
    await receiver.stop();
    await database.drop();
  });
  afterEach(() => expect(at.faults.splice(0)).toEqual([]));

  const button = (name: string | RegExp) => at.page.getByRole('button', { name, exact: typeof name === 'string' });
  const dialog = () => at.page.getByRole('dialog');
  /** The button of the dialog that acts, and names its count. */
  const confirm = (name: string) => dialog().getByRole('button', { name, exact: true }).click();
  const auditOf = async (action: string): Promise<AuditRow[]> => {
    const { rows } = await database.pool.query<AuditRow>(
      'select action, actor, note, counts from admin_audit where action = $1 order by id',
      [action],
    );
    return rows;
  };
  const completed = (tenantId: string, counts: Record<string, number>) =>
    eventually(async () => expect(await statusCounts(database.pool, tenantId)).toEqual(counts));

  /** Sends events to a receiver that refuses them, until all are dead letters. */
  async function givenRefused(tenantId: string, count: number, payload = '{"amount":10.10}'): Promise<string[]> {
    receiver.reaction = answer(404, {}, 'no such order');
    await givenDestination(all.url, { tenantId, url: `${receiver.url}/${tenantId}`, eventTypes: ['*'] });
    const ids: string[] = [];
    // The worker may not know the destination yet; then the first events complete without it.
    await eventually(async () => {
      const n = ids.length;
      const { body } = await postEvent(
        all.url,
        tenantId,
        `{"eventType":"order.paid","subject":"order-${n}","payload":${payload}}`,
        { 'idempotency-key': `${tenantId}-${n}-${Date.now()}` },
      );
      await eventually(async () => {
        const { status, deliveries } = (await getEvent(all.url, tenantId, body.id)).body;
        expect(['DLQ', 'COMPLETED']).toContain(status);
        if ((deliveries as object[]).length > 0) expect(status).toBe('DLQ');
      });
      const { status } = (await getEvent(all.url, tenantId, body.id)).body;
      if (status === 'DLQ') ids.push(body.id);
      expect(ids).toHaveLength(count);
    }, 60_000);
    return ids;
  }

  describe('signing in', () => {
    it('shows why a token is refused, and keeps the right one in this tab alone', async () => {
      const other = await openConsole(chromium.browser, all.url);
      await other.page.goto(`${all.url}/console/events?tenantId=acme`);
      await other.signIn('sfa_wrong');
      const alert = other.page.getByRole('alert');
      await alert.waitFor();
      expect(await alert.innerText()).toMatch(/admin-token-invalid · correlation id \S{8,}/);
      await other.signIn(ADMIN_TOKEN);
      await other.page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
      expect(other.page.url()).toBe(`${all.url}/console/events?tenantId=acme`);
      expect(await other.page.evaluate('[JSON.stringify(localStorage), document.cookie]')).toEqual(['{}', '']);
      expect(await other.page.evaluate(() => JSON.stringify(sessionStorage))).toContain(ADMIN_TOKEN);
      await other.page.getByRole('button', { name: 'Sign out' }).click();
      await other.page.getByText('You have signed out.').waitFor();
      expect(await other.page.evaluate(() => JSON.stringify(sessionStorage))).toBe('{}');
      expect(other.faults).toEqual([]);
      await other.context.close();
    }, 120_000);

    it('leads back to the page when the token is revoked meanwhile', async () => {
      const [old, fresh] = [
        await givenOperator(database.pool, { role: 'viewer' }),
        await givenOperator(database.pool, { role: 'viewer' }),
      ];
      heedAccess(all.app);
      const other = await openConsole(chromium.browser, all.url);
      await other.page.goto(`${all.url}/console/events?status=DLQ`);
      await other.signIn(old.text);
      await other.page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
      await database.pool.query('update operators set revoked_at = now() where id = $1', [old.id]);
      heedAccess(all.app);
      await other.page.getByRole('button', { name: 'Refresh' }).click();
      await other.page.getByText(/You have been signed out/).waitFor();
      await other.signIn(fresh.text);
      await other.page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
      expect(other.page.url()).toBe(`${all.url}/console/events?status=DLQ`);
      await other.context.close();
    }, 120_000);

    it('hides from a viewer what a viewer may not do', async () => {
      const [event] = (await givenDeadLetters(database.pool, 1, { tenantId: 'seen' })) as [Event];
      const viewer = await givenOperator(database.pool, { role: 'viewer' });
      heedAccess(all.app);
      const other = await openConsole(chromium.browser, all.url);
      await other.page.goto(`${all.url}/console/events/${event.id}`);
      await other.signIn(viewer.text);
      await other.page.getByText('Your role does not see payloads.').waitFor();
      expect(await other.page.getByRole('button', { name: /Retry|Discard|Republish|Reprocess|Edit/ }).count()).toBe(0);
      await other.context.close();
    }, 120_000);
  });

  describe('dead letters', () => {
    it('from the link of an alert to the whole group retried takes three clicks and no typing', async () => {
      await givenRefused('alerted', 3);
      receiver.reaction = answer(200);
      await at.open('/dead-letters?tenantId=alerted&reasonCode=HTTP_4XX', 'Dead letters');
      await at.page.getByRole('link', { name: 'HTTP_4XX' }).click();
      await button('Retry all …').click();
      await confirm('Retry 3 dead letters');
      await dialog().getByText('3 of 3 dead letters sent on.').waitFor();
      await eventually(async () => {
        const { COMPLETED = 0, ...others } = await statusCounts(database.pool, 'alerted');
        expect([COMPLETED >= 3, others]).toEqual([true, {}]);
      });
      await dialog().getByRole('button', { name: 'Close' }).click();
      await at.page.getByText('This group is empty').waitFor();
    }, 120_000);

    it('are retried in part, by the boxes that are ticked', async () => {
      const events = await givenDeadLetters(database.pool, 3, { tenantId: 'some' });
      await at.open('/dead-letters?tenantId=some', 'Dead letters');
      await at.page.getByRole('link', { name: 'HTTP_5XX' }).click();
      const boxes = at.page.getByRole('checkbox', { name: /^Choose (?!all)/ });
      await boxes.first().check();
      await boxes.nth(1).check();
      await button('Retry 2 chosen …').click();
      await confirm('Retry 2 dead letters');
      await dialog().getByText('2 of 2 dead letters sent on.').waitFor();
      await completed('some', { COMPLETED: 2, DLQ: events.length - 2 });
      await dialog().getByRole('button', { name: 'Close' }).click();
    }, 120_000);

    it('are discarded with a note, and a dry run changes nothing', async () => {
      await givenDeadLetters(database.pool, 2, { tenantId: 'dropped' });
      await at.open('/dead-letters?tenantId=dropped', 'Dead letters');
      await at.page.getByRole('link', { name: 'HTTP_5XX' }).click();
      await button('Discard all …').click();
      await dialog().getByText('This changes 2 dead letters.').waitFor();
      await dialog().getByRole('button', { name: 'Cancel' }).click();
      expect(await statusCounts(database.pool, 'dropped')).toEqual({ DLQ: 2 });
      await button('Discard all …').click();
      await dialog().getByLabel(/Note/).fill('orders of a test shop');
      await confirm('Discard 2 dead letters');
      await dialog().getByText('2 of 2 dead letters discarded.').waitFor();
      expect(await statusCounts(database.pool, 'dropped')).toEqual({ DISCARDED: 2 });
      expect(await auditOf('dlq.discard')).toMatchObject([{ note: 'orders of a test shop', counts: { discarded: 2 } }]);
      await dialog().getByRole('button', { name: 'Close' }).click();
    }, 120_000);

    it('are retried once although the response was lost and the button was pressed again', async () => {
      await givenDeadLetters(database.pool, 2, { tenantId: 'lost' });
      const before = (await auditOf('dlq.retry')).length;
      await at.open('/dead-letters?tenantId=lost', 'Dead letters');
      await at.page.getByRole('link', { name: 'HTTP_5XX' }).click();
      await button('Retry all …').click();
      await dialog().getByText('This changes 2 dead letters.').waitFor();
      await at.page.route(
        '**/v1/admin/dlq/retry',
        async (route) => {
          await route.fetch(); // carried out, but the browser hears nothing of it
          await route.abort('connectionreset');
        },
        { times: 1 },
      );
      await confirm('Retry 2 dead letters');
      await dialog().getByText('StreamForge does not respond.').waitFor();
      await confirm('Retry 2 dead letters');
      await dialog().getByText('2 of 2 dead letters sent on.').waitFor();
      expect((await auditOf('dlq.retry')).length).toBe(before + 1);
      await dialog().getByRole('button', { name: 'Close' }).click();
    }, 120_000);

    it('stay as they are when the api refuses in the middle of the action, and the page says so', async () => {
      await givenDeadLetters(database.pool, 1, { tenantId: 'refused' });
      await at.open('/dead-letters?tenantId=refused', 'Dead letters');
      await at.page.getByRole('link', { name: 'HTTP_5XX' }).click();
      await button('Retry all …').click();
      await dialog().getByText('This changes 1 dead letter.').waitFor();
      const problem = {
        ...{ code: 'storage-unavailable', title: 'x', detail: 'The database is unavailable. Try again later.' },
        ...{ status: 503, retryable: true, correlationId: 'c-503' },
      };
      await at.page.route('**/v1/admin/dlq/retry', (route) => route.fulfill({ status: 503, json: problem }), {
        times: 1,
      });
      await confirm('Retry 1 dead letter');
      const said = await dialog().getByRole('alert').innerText();
      expect(said).toContain('The database is unavailable. Try again later.');
      expect(said).toContain('storage-unavailable · correlation id c-503');
      expect(await statusCounts(database.pool, 'refused')).toEqual({ DLQ: 1 });
      await dialog().getByRole('button', { name: 'Cancel' }).click();
    }, 120_000);
  });

  describe('an event', () => {
    it('shows its deliveries with what the receiver said, and is repaired by editing', async () => {
      const [id] = (await givenRefused('edited', 1)) as [string];
      await at.open(`/events/${id}`, 'order.paid');
      await button('Attempts').click();
      await at.page.getByText('no such order', { exact: true }).waitFor();
      receiver.reaction = answer(200);
      await button('Edit and retry …').click();
      const editor = dialog().getByLabel('New payload');
      expect(await editor.inputValue()).toBe('{\n  "amount": 10.10\n}');
      await editor.fill('{"amount": 12.50, "big": 12345678901234567890}');
      await button('Show the difference').click();
      await dialog().getByText('12345678901234567890').last().waitFor();
      expect(await statusCounts(database.pool, 'edited')).toMatchObject({ DLQ: 1 });
      await confirm('Store and retry 1 event');
      await dialog().getByText('Revision 2 was stored, and the event is sent on.').waitFor();
      const { rows } = await database.pool.query<{ payload: string }>(
        'select payload::text as payload from event_revisions where event_id = $1',
        [id],
      );
      expect(rows).toEqual([{ payload: '{"amount": 12.50, "big": 12345678901234567890}' }]);
      await eventually(() => expect(receiver.of(`${id}.2`).at(-1)?.body).toContain('"amount": 12.50'));
      await eventually(async () => expect((await getEvent(all.url, 'edited', id)).body.status).toBe('COMPLETED'));
      await dialog().getByRole('button', { name: 'Close' }).click();
      await at.page.getByRole('heading', { name: 'Payload, revision 2' }).waitFor();
    }, 120_000);

    it('is replayed', async () => {
      const [event] = (await givenCompleted(database.pool, 1, 'again')) as [Event];
      await at.open(`/events/${event.id}`, event.type);
      await button('Reprocess …').click();
      await confirm('Reprocess 1 event');
      await dialog().getByText('1 of 1 event queued for the replay.').waitFor();
      const { rows } = await database.pool.query(
        'select r.mode from replays r join replay_events e on e.replay_id = r.id where e.event_id = $1',
        [event.id],
      );
      expect(rows).toEqual([{ mode: 'reprocess' }]);
      await dialog().getByRole('button', { name: 'Close' }).click();
    }, 120_000);

    it('shows a hostile payload as text, to the last digit', async () => {
      const deep = `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`;
      const wide = Array.from({ length: 5_000 }, (_, i) => `"key-${i}":${i}`).join(',');
      const payload =
        `{"html":"<script>alert(1)</script><img src=x onerror=alert(2)>","price":10.10,"big":12345678901234567890,` +
        `"rtl":"abc \u202e gnp.exe","arabic":"العربية","deep":${deep},"wide":{${wide}},"line":"${'x'.repeat(100_000)}"}`;
      const { body } = await postEvent(
        all.url,
        'hostile',
        `{"eventType":"<b>type</b>","subject":"<script>alert(3)</script>","payload":${payload}}`,
      );
      await at.open(`/events/${body.id}`, '<b>type</b>');
      const tree = at.page.getByRole('tabpanel');
      await tree.getByText('10.10').waitFor();
      expect(await tree.innerText()).toContain('<script>alert(1)</script>');
      expect(await tree.innerText()).toContain('\\u202e');
      await tree.getByText('Show all 100,002 characters').click();
      await tree.getByText('{5,000 members}').click();
      await tree.getByRole('button', { name: /Show more \(4,900 left\)/ }).click();
      await tree.getByText('key-1099', { exact: true }).waitFor();
      await at.page.getByRole('tab', { name: 'Exact text' }).click();
      expect(await at.page.getByLabel('Exact text of the payload').textContent()).toBe(payload);
      expect(await at.page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    }, 120_000);

    it('that does not exist says so, with its code', async () => {
      await at.open('/events/01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', 'Event');
      await at.page.getByText('event-not-found').waitFor();
    }, 120_000);
  });

  describe('destinations', () => {
    it('are tested, paused and resumed', async () => {
      receiver.reaction = answer(204);
      const { id } = await givenDestination(all.url, {
        tenantId: 'paused',
        url: `${receiver.url}/pause-me`,
        description: 'ERP',
      });
      const statusOf = async () => {
        const { rows } = await database.pool.query(
          'select paused_at is not null as paused from destinations where id = $1',
          [id],
        );
        return rows as object[];
      };
      await at.open('/destinations?tenantId=paused', 'Destinations');
      await at.page.getByRole('link', { name: /pause-me/ }).click();
      await at.page.getByRole('heading', { level: 1, name: 'ERP' }).waitFor();
      await button('Send a test …').click();
      await confirm('Send 1 request');
      await dialog().getByText('HTTP 204').waitFor();
      expect(receiver.received.filter(({ path }) => path === '/pause-me')).toHaveLength(1);
      await dialog().getByRole('button', { name: 'Close' }).click();

      await button('Pause …').click();
      await confirm('Pause 1 destination');
      await button('Resume …').waitFor();
      expect(await statusOf()).toEqual([{ paused: true }]);
      await button('Resume …').click();
      await confirm('Resume 1 destination');
      await button('Pause …').waitFor();
      expect(await statusOf()).toEqual([{ paused: false }]);
    }, 120_000);

    it('get an order, and those of operator events a severity and quiet hours', async () => {
      const { id } = await givenDestination(all.url, {
        tenantId: 'streamforge',
        url: `${receiver.url}/told`,
        description: 'On call',
      });
      await at.open(`/destinations/${id}`, 'On call');
      await button('Order …').click();
      await dialog().getByLabel('Events are delivered').selectOption('skip');
      await confirm('Change 1 destination');
      await at.page.getByText('a failed one is passed over', { exact: false }).first().waitFor();

      await button('Severity and quiet hours …').click();
      await dialog().getByLabel('From this severity on').selectOption('error');
      await dialog().getByLabel('From (HH:MM)').fill('22:00');
      await dialog().getByRole('button', { name: 'Change 1 destination' }).click();
      await dialog().getByText('Quiet hours need a time zone, such as Europe/Berlin.').waitFor();
      await dialog().getByLabel('Time zone of the quiet hours').fill('Europe/Berlin');
      await dialog().getByLabel(/^To/).fill('07:00');
      await confirm('Change 1 destination');
      await at.page.getByText('every day 22:00–07:00, Europe/Berlin').waitFor();
      const { rows } = await database.pool.query(
        `select ordering, on_poison, min_severity, quiet_hours from destinations where id = $1`,
        [id],
      );
      const quietHours = { timeZone: 'Europe/Berlin', from: '22:00', to: '07:00' };
      expect(rows).toEqual([{ ordering: 'key', on_poison: 'skip', min_severity: 'error', quiet_hours: quietHours }]);
    }, 120_000);
  });

  describe('the list of events', () => {
    it('has its filter in the address, and is used by keyboard alone', async () => {
      const [event] = (await givenDeadLetters(database.pool, 2, { tenantId: 'keys', type: 'key.pressed' })) as [Event];
      await at.open('/', 'Overview');
      await at.page.keyboard.press('/');
      await at.page.keyboard.type('tenant:keys status:dlq type:key.*');
      await at.page.keyboard.press('Enter');
      await at.page.getByRole('link', { name: 'key.pressed' }).first().waitFor();
      expect(new URL(at.page.url()).search).toBe('?tenantId=keys&status=DLQ&type=key.*');
      await at.page.locator('body').click({ position: { x: 1, y: 1 } });
      await at.page.keyboard.press('j');
      await at.page.keyboard.press('j');
      await at.page.keyboard.press('Enter');
      await at.page.getByRole('heading', { level: 1, name: 'key.pressed' }).waitFor();
      expect(at.page.url()).toBe(`${all.url}/console/events/${event.id}`);
      await at.page.goBack();
      await at.page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
      await at.page.keyboard.press('?');
      await dialog().getByText('next and previous row').waitFor();
      await at.page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
      await at.page.keyboard.press('g');
      await at.page.keyboard.press('d');
      await at.page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
    }, 120_000);

    it('goes on from page to page', async () => {
      await givenCompleted(database.pool, 60, 'many');
      await at.open('/events?tenantId=many', 'Events');
      await at.page.getByText('50 events; there are more').waitFor();
      await button('Show more').click();
      await at.page.getByText('60 events', { exact: true }).waitFor();
    }, 120_000);
  });

  it('says that StreamForge does not respond, and goes on when it does', async () => {
    await at.open('/', 'Overview');
    await at.page.route('**/v1/admin/**', (route) => route.abort('connectionrefused'));
    await at.page.getByText('StreamForge does not respond. What you see may be old').waitFor();
    await at.page.unroute('**/v1/admin/**');
    await at.page.getByText('StreamForge does not respond. What you see may be old').waitFor({ state: 'detached' });
  }, 120_000);

  it.each(['light', 'dark'] as const)(
    'has no violation that axe finds, in %s colours',
    async (colorScheme) => {
      const tenantId = `axe-${colorScheme}`;
      const [id] = (await givenRefused(tenantId, 1)) as [string];
      const { rows } = await database.pool.query<{ id: string }>('select id from destinations where tenant_id = $1', [
        tenantId,
      ]);
      const other = await openConsole(chromium.browser, all.url, { colorScheme });
      await other.page.goto(`${all.url}/console/`);
      await other.page.getByLabel('Operator token').waitFor();
      expect(await other.violations()).toEqual([]);
      await other.signIn(ADMIN_TOKEN);
      const pages: [string, string | RegExp, string][] = [
        ['/', 'Overview', '.figure-value a'],
        ['/events', 'Events', 'tbody tr'],
        [`/events/${id}`, 'order.paid', '.timeline li'],
        [`/dead-letters?tenantId=${tenantId}`, 'Dead letters', 'tbody tr'],
        [`/destinations?tenantId=${tenantId}`, 'Destinations', 'tbody .badge + *, tbody td:nth-child(5) .badge'],
        [`/destinations/${rows[0]?.id}`, /127\.0\.0\.1/, '.facts'],
        ['/nowhere', 'No such page', '.empty'],
      ];
      for (const [address, heading, shown] of pages) {
        await other.open(address, heading);
        await other.page.locator(shown).first().waitFor();
        expect([address, await other.violations()]).toEqual([address, []]);
      }
      await other.open(`/dead-letters?tenantId=${tenantId}`, 'Dead letters');
      await other.page.getByRole('link', { name: 'HTTP_4XX' }).click();
      await other.page.getByRole('button', { name: 'Retry all …' }).click();
      await other.page.getByText('This changes 1 dead letter.').waitFor();
      expect(await other.violations()).toEqual([]);
      expect(other.faults).toEqual([]);
      await other.context.close();
    },
    180_000,
  );

  it.each([360, 2_560])(
    'fits into a window of %i px',
    async (width) => {
      const other = await openConsole(chromium.browser, all.url, { width });
      await other.page.goto(`${all.url}/console/events`);
      await other.signIn(ADMIN_TOKEN);
      const pages = [
        ['/', 'Overview', '.figure-value a'],
        ['/events', 'Events', 'tbody tr'],
        ['/dead-letters', 'Dead letters', 'tbody tr'],
        ['/destinations', 'Destinations', 'tbody tr'],
      ] as const;
      expect(await other.overflowing(pages)).toEqual([]);
      await other.context.close();
    },
    120_000,
  );
});
