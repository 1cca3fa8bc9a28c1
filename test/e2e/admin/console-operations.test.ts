import { admin, givenCompleted, givenDeadLetters } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { givenKey, givenOperator, heedAccess } from '../../support/credentials';
import { call, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { givenEvents, setEntries } from '../../support/rows';
import { useConsole, type ConsoleFixture } from '../../support/fixtures/console';

const NOBODY = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';

/** Moves the focus off any field, so that keys mean what they mean on the page. */
const leaveFields = (ui: ConsoleFixture) => ui.at.page.locator('body').click({ position: { x: 1, y: 1 } });

describe('the console on replays that go on', () => {
  const ui = useConsole();

  it('follows a replay from the list of events until each event is done', async () => {
    for (const n of [1, 2, 3]) {
      await postEvent(ui.api.url, 'replayed', `{"eventType":"order.paid","subject":"order-${n}","payload":1}`);
    }
    await eventually(async () => expect(await statusCounts(ui.api.pool, 'replayed')).toEqual({ COMPLETED: 3 }));
    const page = ui.at.page;
    await ui.at.open('/events?tenantId=replayed', 'Events');
    await ui.button('Replay all …').click();
    await ui.confirm('Republish 3 events');
    await ui.dialog().getByText('3 of 3 events queued for the replay.').waitFor();
    await ui.dialog().getByRole('link', { name: 'Follow the replay' }).click();
    await page.getByRole('heading', { level: 1, name: 'Republish: 3 events' }).waitFor();
    await page.getByText('Nothing of it goes on any more.').waitFor();
    await page.getByText('DONE', { exact: true }).waitFor();
    const { rows } = await ui.api.pool.query(
      `select r.status, e.outcome, count(*)::int as count from replays r join replay_events e on e.replay_id = r.id
        group by 1, 2`,
    );
    expect(rows).toEqual([{ status: 'DONE', outcome: 'COMPLETED', count: 3 }]);
    await page.getByRole('link', { name: 'Events that this filter finds now' }).click();
    await page.getByText('3 events', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?tenantId=replayed');
  }, 120_000);
});

describe('the console on what operators look after', () => {
  const ui = useConsole({ APP_ROLE: 'api' });
  const { api, button, dialog, confirm, closeDialog } = ui;
  const page = () => ui.at.page;

  const startReplay = async (tenantId: string) =>
    (await admin<{ replayId: string }>(api.url, 'replay', { tenantId, mode: 'reprocess' })).body.replayId;
  const auditOf = async (action: string) =>
    (
      await api.pool.query<{ actor: string; counts: object }>(
        'select actor, counts from admin_audit where action = $1 order by id',
        [action],
      )
    ).rows;
  let sent = 0;
  const sendWith = async (key: string) =>
    (
      await call(`${api.url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: `{"eventType":"sale","subject":"s-${(sent += 1)}","payload":1}`,
      })
    ).status;
  const whoami = async (token: string) =>
    (await call<{ role: string }>(`${api.url}/v1/whoami`, { headers: { 'x-admin-token': token } })).body.role;
  const signedInAs = async (token: string, address: string, asked: string[] = []) => {
    heedAccess(api.app);
    const other = await ui.other();
    other.page.on('request', (request) => void asked.push(new URL(request.url()).pathname));
    await other.page.goto(`${api.url}/console${address}`);
    await other.signIn(token);
    return other;
  };

  describe('replays', () => {
    it('are found by keyboard, and what they have not begun is cancelled', async () => {
      await givenCompleted(api.pool, 201, 'halted'); // more than a request dispatches by itself
      const replayId = await startReplay('halted');
      await ui.at.open('/', 'Overview');
      await page().keyboard.press('g');
      await page().keyboard.press('p');
      await page().getByRole('heading', { level: 1, name: 'Replays' }).waitFor();
      await page().getByText('1 replay', { exact: true }).waitFor();
      await page().getByText('tenantId halted').waitFor();
      await page().keyboard.press('j');
      await page().keyboard.press('Enter');
      await page().getByRole('heading', { level: 1, name: 'Reprocess: 201 events' }).waitFor();
      expect(new URL(page().url()).pathname).toBe(`/console/replays/${replayId}`);
      await page().getByText('0 of 201 events are done.').waitFor();
      await button('Cancel the rest …').click();
      expect(await auditOf('replay.cancel')).toEqual([]);
      await confirm('Cancel 201 events');
      await dialog().waitFor({ state: 'detached' });
      await page().getByText('CANCELLED', { exact: true }).waitFor();
      expect(await button('Cancel the rest …').count()).toBe(0);
      const { rows } = await api.pool.query(
        'select outcome, count(*)::int as count from replay_events where replay_id = $1 group by 1',
        [replayId],
      );
      expect(rows).toEqual([{ outcome: 'CANCELLED', count: 201 }]);
      expect(await auditOf('replay.cancel')).toEqual([{ actor: 'admin', counts: { cancelled: 201 } }]);
    }, 120_000);

    it('lead to the events that were chosen for them', async () => {
      const [event] = await givenCompleted(api.pool, 2, 'chosen');
      const { body } = await admin<{ replayId: string }>(api.url, 'replay', {
        ...{ tenantId: 'chosen', mode: 'reprocess', eventIds: [event?.id] },
      });
      await ui.at.open(`/replays/${body.replayId}`, /1 event$/);
      await page()
        .getByRole('link', { name: `Event ${event?.id}` })
        .waitFor();
      expect(await page().getByRole('link', { name: 'Events that this filter finds now' }).count()).toBe(0);
    }, 120_000);

    it('are not cancelled by a viewer, and a replay that does not exist says so', async () => {
      await givenCompleted(api.pool, 201, 'watched');
      const replayId = await startReplay('watched');
      const viewer = await givenOperator(api.pool, { role: 'viewer' });
      const other = await signedInAs(viewer.text, `/replays/${replayId}`);
      await other.page.getByText('0 of 201 events are done.').waitFor();
      expect(await other.page.getByRole('button', { name: /Cancel/ }).count()).toBe(0);
      await other.open(`/replays/${NOBODY}`, 'Replay');
      expect(await other.page.getByRole('alert').innerText()).toMatch(/replay-not-found · correlation id \S{8,}/);
      await other.context.close();
    }, 120_000);
  });

  describe('the audit trail', () => {
    it('is filtered in the address, and leads to what each action concerned', async () => {
      const [event] = await givenDeadLetters(api.pool, 1, { tenantId: 'audited' });
      const ada = await givenOperator(api.pool, { role: 'operator', name: 'ada' });
      heedAccess(api.app);
      const as = { 'x-admin-token': ada.text };
      await admin(api.url, 'dlq/discard', { tenantId: 'audited', eventIds: [event?.id], note: 'a test' }, as);
      await admin(api.url, 'dlq/retry', { tenantId: 'audited' }, as);
      await ui.at.open('/', 'Overview');
      await page().keyboard.press('g');
      await page().keyboard.press('a');
      await page().getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
      await page().getByLabel('Operator').fill('ada');
      await page().keyboard.press('Enter');
      await page().getByText('2 entries', { exact: true }).waitFor();
      await page().getByLabel('Action').selectOption('dlq.discard');
      await page().getByText('1 entry', { exact: true }).waitFor();
      expect(new URL(page().url()).search).toBe('?actor=ada&action=dlq.discard');
      await page().getByText('discarded dead letters').waitFor();
      await page().getByText('discarded 1', { exact: false }).waitFor();
      await leaveFields(ui);
      await page().keyboard.press('j');
      await page().keyboard.press('Enter');
      await page().getByText('127.0.0.1').waitFor();
      await page()
        .getByRole('link', { name: `Event ${event?.id}` })
        .click();
      await page().getByText('DISCARDED', { exact: true }).first().waitFor();
      expect(new URL(page().url()).pathname).toBe(`/console/events/${event?.id}`);
      await ui.at.open('/audit?actor=nobody', 'Audit');
      await page().getByText('No entry matches this filter.').waitFor();
      await ui.at.open('/audit?from=yesterday', 'Audit');
      expect(await page().getByRole('alert').innerText()).toContain('invalid-request');
    }, 120_000);
  });

  describe('tenants and their keys', () => {
    it('are created, and a key is shown once, rotated and revoked', async () => {
      await ui.at.open('/tenants', 'Tenants');
      await button('New tenant …').click();
      await dialog().getByLabel(/^Id/).fill('acme');
      await dialog().getByLabel('Name', { exact: true }).fill('Acme Ltd');
      await dialog()
        .getByLabel(/^Events a minute/)
        .fill('60000');
      await confirm('Create 1 tenant');
      await dialog().getByRole('link', { name: 'Make an API key for it' }).click();
      await page().getByRole('heading', { level: 1, name: 'Acme Ltd' }).waitFor();
      const { rows } = await api.pool.query('select id, events_per_minute, bytes_per_minute from tenants');
      expect(rows).toEqual([{ id: 'acme', events_per_minute: 60_000, bytes_per_minute: null }]);

      await button('New key …').click();
      await dialog().getByLabel('Name of the producer').fill('till 17');
      await dialog().getByLabel('ingest', { exact: true }).uncheck();
      await confirm('Create 1 key');
      await dialog().getByRole('alert').getByText('Tick at least one scope.').waitFor();
      await dialog().getByLabel('ingest', { exact: true }).check();
      await confirm('Create 1 key');
      const first = await dialog().getByLabel('API key').inputValue();
      expect(first).toMatch(/^sfk_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      await dialog().getByRole('button', { name: 'Copy the key' }).waitFor();
      await closeDialog();
      expect(await page().content()).not.toContain(first);
      expect(await sendWith(first)).toBe(202);

      await page().getByRole('button', { name: 'till 17' }).click();
      await button('Rotate …').click();
      await dialog().getByLabel('The present key works').selectOption('no longer: it ends now');
      // The key is shown although the list is not read again for long, and stays when its row has left the list.
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await page().route(/\/tenants\/acme\/keys\?/, async (route) => {
        await held;
        await route.fulfill({ json: { keys: [], nextCursor: null } });
      });
      await confirm('Make 1 key');
      const second = await dialog().getByLabel('API key').inputValue();
      release();
      await page().getByText('The tenant has no API key yet.').waitFor({ state: 'attached' });
      expect([
        await dialog().getByLabel('API key').inputValue(),
        await sendWith(first),
        await sendWith(second),
      ]).toEqual([...[second, 401, 202]]);
      await closeDialog();
      await page().unroute(/\/tenants\/acme\/keys\?/);
      await ui.at.open('/tenants/acme', 'Acme Ltd');
      await page().getByText('revoked', { exact: true }).waitFor();

      await page().getByRole('button', { name: 'till 17' }).first().click();
      await button('Revoke …').click();
      await confirm('Revoke 1 key');
      await dialog().waitFor({ state: 'detached' });
      expect(await sendWith(second)).toBe(401);
      const keys = await api.pool.query('select count(*)::int as n from api_keys where revoked_at is not null');
      expect(keys.rows).toEqual([{ n: 2 }]);

      for (const action of ['tenant.create', 'key.rotate']) {
        await ui.at.open(`/audit?tenantId=acme&action=${action}`, 'Audit');
        await page()
          .getByRole('button', { name: /^Details of/ })
          .click();
        await page().getByRole('link', { name: 'The tenant' }).click();
        await page().getByRole('heading', { level: 1, name: 'Acme Ltd' }).waitFor();
      }
    }, 120_000);

    it('are changed, suspended and activated', async () => {
      await admin(api.url, 'tenants', { id: 'moody', name: 'Moody' });
      const key = await givenKey(api.pool, { tenantId: 'moody' });
      heedAccess(api.app);
      await ui.at.open('/tenants/moody', 'Moody');
      await button('Change …').click();
      await dialog()
        .getByLabel(/^Events a minute/)
        .fill('0');
      await confirm('Change 1 tenant');
      await page().getByText('no limit', { exact: true }).waitFor();
      await button('Suspend …').click();
      await confirm('Suspend 1 tenant');
      await button('Activate …').waitFor();
      expect(await sendWith(key.text)).toBe(403);
      await ui.at.open('/tenants?status=suspended', 'Tenants');
      await page().getByRole('link', { name: 'moody' }).press('Enter');
      await button('Activate …').click();
      await confirm('Activate 1 tenant');
      await button('Suspend …').waitFor();
      expect(await sendWith(key.text)).toBe(202);
      const { rows } = await api.pool.query(`select status, events_per_minute from tenants where id = 'moody'`);
      expect(rows).toEqual([{ status: 'active', events_per_minute: 0 }]);
    }, 120_000);

    it('get no second key when the response with the first one is lost', async () => {
      await admin(api.url, 'tenants', { id: 'lost', name: 'Lost' });
      await ui.at.open('/tenants/lost', 'Lost');
      await page().route('**/v1/admin/tenants/lost/keys', async (route) => {
        if (route.request().method() === 'GET') return route.continue();
        await route.fetch();
        return route.abort('connectionreset');
      });
      await button('New key …').click();
      await dialog().getByLabel('Name of the producer').fill('till');
      await confirm('Create 1 key');
      await dialog().getByText('The key may have been made, and nobody has seen it.', { exact: false }).waitFor();
      expect(await dialog().getByRole('button', { name: 'Create 1 key' }).isDisabled()).toBe(true);
      await page().unroute('**/v1/admin/tenants/lost/keys');
      const { rows } = await api.pool.query(`select count(*)::int as n from api_keys where tenant_id = 'lost'`);
      expect(rows).toEqual([{ n: 1 }]);
    }, 120_000);
  });

  describe('operators', () => {
    it('get a token that is shown once, another role, and an end', async () => {
      await ui.at.open('/operators', 'Operators');
      await button('New operator …').click();
      await dialog().getByLabel(/^Name/).fill('grace');
      await dialog()
        .getByLabel(/^Tenants/)
        .fill('acme, globex');
      await dialog()
        .getByLabel(/^Expires/)
        .fill('2036-01-31T12:00');
      await confirm('Create 1 operator');
      const token = await dialog().getByLabel('Operator token').inputValue();
      expect(token).toMatch(/^sfa_/);
      await closeDialog();
      expect(await whoami(token)).toBe('viewer');
      const operator = async () =>
        (
          await api.pool.query('select role, tenant_ids, expires_at, revoked_at from operators where name = $1', [
            'grace',
          ])
        ).rows[0] as Record<string, unknown>;
      const expiresAt = new Date('2036-01-31T11:00:00Z'); // the window is in Berlin
      expect(await operator()).toMatchObject({ role: 'viewer', tenant_ids: ['acme', 'globex'] });
      expect(new Date((await operator()).expires_at as string)).toEqual(expiresAt);

      await page().getByRole('button', { name: 'grace' }).click();
      await button('Change …').click();
      await dialog().getByLabel('Role').selectOption('support');
      await dialog()
        .getByLabel(/^Tenants/)
        .fill('');
      await confirm('Change 1 operator');
      await dialog().waitFor({ state: 'detached' });
      expect(await whoami(token)).toBe('support');
      expect(await operator()).toMatchObject({ role: 'support', tenant_ids: null });
      expect(new Date((await operator()).expires_at as string)).toEqual(expiresAt);

      await button('Revoke …').click();
      await confirm('Revoke 1 operator');
      await dialog().waitFor({ state: 'detached' });
      await page().getByText('revoked', { exact: true }).waitFor();
      expect(await whoami(token)).toBeUndefined();
      expect((await operator()).revoked_at).not.toBeNull();
      expect((await auditOf('operator.change')).length).toBe(1);
    }, 120_000);

    it('are the business of owners: others see neither them nor what only owners may do', async () => {
      await admin(api.url, 'tenants', { id: 'shown', name: 'Shown' });
      const other = await signedInAs((await givenOperator(api.pool, { role: 'operator' })).text, '/operators');
      await other.page.getByText('Your role does not see operators. An owner does.').waitFor();
      expect(await other.page.getByRole('link', { name: 'Operators' }).count()).toBe(0);
      await other.open('/tenants/shown', 'Shown');
      await other.page.getByText('The tenant has no API key yet.').waitFor();
      expect(await other.page.getByRole('button', { name: /New|Suspend|Change/ }).count()).toBe(0);
      await other.context.close();
    }, 120_000);
  });

  describe('the outbox', () => {
    it('shows what could not be published, and returns some or all of it', async () => {
      const events = await givenFailedEntries('stuck', 3);
      const states = async () => {
        const { rows } = await api.pool.query<{ status: string }>(
          'select status from outbox where event_id = any ($1) order by event_id',
          [events],
        );
        return rows.map(({ status }) => status);
      };
      await ui.at.open('/', 'Overview');
      await page().getByRole('link', { name: '3 could not be published' }).click();
      await page().getByRole('heading', { level: 1, name: 'Outbox' }).waitFor();
      await page().getByText('3 entries', { exact: true }).waitFor();
      await page().getByText('the broker is gone').first().waitFor();
      await page()
        .getByRole('checkbox', { name: /^Choose entry/ })
        .first()
        .check();
      await button('Retry 1 chosen …').click();
      await dialog().getByText('This changes 1 entry.').waitFor();
      expect((await states()).toSorted()).toEqual(['FAILED', 'FAILED', 'FAILED']);
      await confirm('Retry 1 entry');
      await dialog().getByText('1 of 1 entry returned to PENDING.').waitFor();
      expect((await states()).toSorted()).toEqual(['FAILED', 'FAILED', 'PENDING']);
      await closeDialog();

      // The response is lost: the same key makes the second press change nothing more.
      const keys: (string | undefined)[] = [];
      await page().route('**/v1/admin/outbox/retry', async (route) => {
        keys.push(route.request().headers()['idempotency-key']);
        if (keys.length > 1) return route.continue();
        await route.fetch();
        return route.abort('connectionreset');
      });
      await button('Retry all …').click();
      await confirm('Retry 2 entries');
      await dialog().getByText('Pressing the button again is safe', { exact: false }).waitFor();
      expect(await states()).toEqual(['PENDING', 'PENDING', 'PENDING']);
      await confirm('Retry 2 entries');
      await dialog().getByText('2 of 2 entries returned to PENDING.').waitFor();
      await page().unroute('**/v1/admin/outbox/retry');
      expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
      expect(await auditOf('outbox.retry')).toHaveLength(2);
      await closeDialog();
      await page().getByText('Every entry was published, or still waits.').waitFor();
    }, 120_000);

    it('is not shown to an operator who is bound to tenants, and nothing is asked that would be refused', async () => {
      const bound = await givenOperator(api.pool, { name: 'bound', role: 'owner', tenantIds: ['stuck'] });
      const asked: string[] = [];
      const other = await signedInAs(bound.text, '/outbox', asked);
      await other.page.getByText('This concerns all tenants, and you are bound to some.', { exact: false }).waitFor();
      await other.open('/', 'Overview');
      await other.page.locator('.figure', { hasText: 'Dead letters' }).getByRole('link').waitFor();
      expect(await other.page.getByText('Waiting to be published').count()).toBe(0);
      for (const key of ['g', 'b', 'g', 'h', 'g', 'n']) await other.page.keyboard.press(key);
      await other.page.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();
      await other.page.getByRole('navigation').getByRole('link', { name: 'Audit' }).waitFor();
      expect(await other.page.getByRole('link', { name: /^(Outbox|Health)$/ }).count()).toBe(0);
      expect(await other.page.getByRole('button', { name: 'New tenant …' }).count()).toBe(0);
      expect(asked.filter((path) => /outbox|admin\/health/.test(path) && path.startsWith('/v1'))).toEqual([]);
      const { rows } = await api.pool.query(`select action from admin_audit where actor = 'bound'`);
      expect(rows).toEqual([]);
      await other.context.close();
    }, 120_000);
  });

  describe('health', () => {
    it('says whether the dependencies work, what is wrong, and which chores are late', async () => {
      await api.pool.query(
        `insert into chores (name, known_since, succeeded_at, error_code)
         values ('retention', now() - interval '1 day', now() - interval '5 hours', '42501') on conflict (name) do update
            set succeeded_at = excluded.succeeded_at, error_code = excluded.error_code`,
      );
      await ui.at.open('/', 'Overview');
      await page().keyboard.press('g');
      await page().keyboard.press('h');
      await page().getByRole('heading', { level: 1, name: 'Health' }).waitFor();
      await page().getByRole('row').filter({ hasText: 'postgres' }).first().getByText('up', { exact: true }).waitFor();
      await page().getByRole('row').filter({ hasText: 'retention' }).getByText('overdue').waitFor();
      await page().getByText('retention has not succeeded for 300 min (SQLSTATE 42501)', { exact: false }).waitFor();
      await page()
        .getByText(/^\d+ days$/)
        .waitFor();
      await api.pool.query('delete from chores');
    }, 120_000);
  });

  /** Entries that no publisher could send, of events of their own. */
  async function givenFailedEntries(tenantId: string, count: number): Promise<string[]> {
    const events = await givenEvents(api.pool, count, {}, tenantId);
    await setEntries(api.pool, events, 'FAILED');
    const ids = events.map(({ id }) => id);
    await api.pool.query(`update outbox set last_error = 'the broker is gone' where event_id = any ($1)`, [ids]);
    return ids;
  }

  /** The pages, with what shows that they are there. */
  async function givenExpectation(tenantId: string): Promise<void> {
    const { status } = await fetch(`${api.url}/v1/admin/tenants/${tenantId}/expectations/order.created`, {
      method: 'PUT',
      headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        expectEverySeconds: 300,
        activeHours: { timeZone: 'Europe/Berlin', weekdays: ['mon', 'tue'], from: '08:00', to: '18:00' },
      }),
    });
    expect(status).toBeLessThan(300);
  }

  async function pagesOf(tenantId: string): Promise<[string, string | RegExp, string][]> {
    await admin(api.url, 'tenants', { id: tenantId, name: `The shop ${tenantId}` });
    await givenKey(api.pool, { tenantId, name: 'till 1' });
    await givenCompleted(api.pool, 201, tenantId);
    await givenFailedEntries(tenantId, 2);
    await givenExpectation(tenantId);
    const replayId = await startReplay(tenantId);
    return [
      ['/replays', 'Replays', 'tbody tr'],
      [`/replays/${replayId}`, /^Reprocess/, '.figures'],
      [`/replays/${NOBODY}`, 'Replay', '.fault'],
      ['/audit', 'Audit', 'tbody tr'],
      ['/audit?actor=nobody', 'Audit', '.empty'],
      ['/tenants', 'Tenants', 'tbody tr'],
      ['/tenants?status=suspended', 'Tenants', '.more, .empty'],
      [`/tenants/${tenantId}`, `The shop ${tenantId}`, 'td:has-text("order.created")'],
      ['/tenants/nobody', 'Tenant', '.fault'],
      ['/operators', 'Operators', 'tbody tr'],
      ['/outbox', 'Outbox', 'tbody tr'],
      ['/health', 'Health', '.sentence'],
    ];
  }

  /** Opens what a page hides: the details of its first row, and the dialog of a button. */
  const DIALOGS: [address: string, heading: string, button: string][] = [
    ['/tenants', 'Tenants', 'New tenant …'],
    ['/operators', 'Operators', 'New operator …'],
  ];

  it.each(['light', 'dark'] as const)(
    'has no violation that axe finds, in %s colours',
    async (colorScheme) => {
      const tenantId = `axe-${colorScheme}`;
      await givenOperator(api.pool, { role: 'viewer', tenantIds: [tenantId] });
      const pages = await pagesOf(tenantId);
      const other = await ui.other({ colorScheme });
      await other.page.goto(`${api.url}/console/replays`);
      await other.signIn(ADMIN_TOKEN);
      for (const [address, heading, shown] of pages) {
        await other.open(address, heading);
        await other.page.locator(shown).first().waitFor();
        const details = other.page.getByRole('button', { name: /^Details of/ }).first();
        if ((await details.count()) > 0) await details.click();
        expect([address, await other.violations()]).toEqual([address, []]);
      }
      for (const [address, heading, name] of [
        ...DIALOGS,
        [`/tenants/${tenantId}`, `The shop ${tenantId}`, 'New key …'],
      ] as const) {
        await other.open(address, heading);
        await other.page.getByRole('button', { name, exact: true }).click();
        await other.page.getByRole('dialog').waitFor();
        expect([name, await other.violations()]).toEqual([name, []]);
      }
      await other.page.getByLabel('Name of the producer').fill('till 2');
      await other.page.getByRole('button', { name: 'Create 1 key' }).click();
      await other.page.getByLabel('API key').waitFor();
      expect(await other.violations()).toEqual([]);
      expect(other.faults).toEqual([]);
      await other.context.close();
    },
    180_000,
  );

  it.each([360, 2_560])(
    'fits into a window of %i px',
    async (width) => {
      const pages = await pagesOf(`wide-${width}`);
      await givenOperator(api.pool, {
        role: 'viewer',
        tenantIds: ['a-tenant-with-a-long-name-that-does-not-wrap'.repeat(2)],
      });
      const other = await ui.other({ width });
      await other.page.goto(`${api.url}/console/replays`);
      await other.signIn(ADMIN_TOKEN);
      expect(await other.overflowing(pages)).toEqual([]);
      await other.context.close();
    },
    120_000,
  );
});
