import { createHmac } from 'node:crypto';
import { ADMIN_TOKEN } from '../../support/app';
import { createdSource, type SourceBody } from '../../support/admin-sources';
import { givenOperator, heedAccess } from '../../support/credentials';
import { call, getEvent, postEvent, postStream } from '../../support/e2e-http';
import { useConsole } from '../../support/fixtures/console';
import { rejectionsOf } from '../../support/rejections';

const SECRET = 'a secret of sixteen or more';

describe('the console on what comes in', () => {
  const ui = useConsole();
  const { api, button, dialog, confirm, closeDialog } = ui;
  const page = () => ui.at.page;

  const send = (source: SourceBody, body: string, secret = SECRET) =>
    call(source.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-signature': createHmac('sha256', secret).update(body).digest('hex'),
      },
      body,
    });
  const sourceRow = async (name: string) => {
    const { rows } = await api.pool.query<Record<string, unknown>>('select * from sources where name = $1', [name]);
    return rows[0];
  };
  /** Records that are refused for their subject, and one for its type. */
  async function givenRejections(tenantId: string, count: number): Promise<void> {
    const lines = Array.from(
      { length: count },
      (_, i) => `{"eventType":"sale","subject":"","payload":{"n":${i},"amount":10.10}}`,
    );
    await postStream(api.url, tenantId, [...lines, '{"eventType":"","subject":"s","payload":1}'].join('\n'));
    expect(await rejectionsOf(api.pool, tenantId)).toHaveLength(count + 1);
  }
  const statuses = async (tenantId: string) => (await rejectionsOf(api.pool, tenantId)).map(({ status }) => status);

  describe('sources', () => {
    it('are created with a URL to paste, and get the secret that the provider shows then', async () => {
      await ui.at.open('/sources?tenantId=new', 'Sources');
      await page().getByText('This tenant has no source.').waitFor();
      await button('New source …').click();
      expect(await dialog().getByLabel('Tenant').inputValue()).toBe('new');
      await dialog().getByLabel(/^Name/).fill('shop payments');
      await dialog().getByLabel('Provider').selectOption('Stripe');
      await confirm('Create 1 source');
      const url = await dialog().getByLabel('URL for the producer').inputValue();
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/in\/[\w-]{43}$/);
      expect(await sourceRow('shop payments')).toMatchObject({ tenant_id: 'new', provider: 'stripe', secrets: [] });
      await dialog().getByRole('link', { name: 'What to do next' }).click();
      await page().getByRole('heading', { level: 1, name: 'shop payments' }).waitFor();
      await page().getByText('None is set yet.').waitFor();
      expect((await call(url, { method: 'POST', body: '{}' })).status).toBe(503);
      await button('New secret …').click();
      await dialog()
        .getByLabel(/^The secret/)
        .fill('whsec_only_an_example');
      await confirm('Store 1 secret');
      await page().getByText('Set: …mple.').waitFor();
      expect((await sourceRow('shop payments'))?.secrets).toHaveLength(1);
      expect((await call(url, { method: 'POST', body: '{}' })).status).toBe(401);
      await page().getByText('signature-missing').waitFor();
    }, 120_000);

    it('show why each request was taken or refused, and try one again', async () => {
      const source = await createdSource(api.url, { tenantId: 'seen', name: 'till', secrets: [SECRET] });
      expect((await send(source, '{"type":"sale","id":"s-1","amount":10.10,"big":12345678901234567890}')).status).toBe(
        200,
      );
      expect((await send(source, '{"type":"sale","id":"s-2"}', 'another secret entirely')).status).toBe(401);
      expect((await send(source, '{"type":"sale"}')).status).toBe(200);
      await ui.at.open(`/sources/${source.id}`, 'till');
      await page().getByRole('button', { name: 'unverified' }).waitFor();
      expect(
        await page()
          .getByRole('button', { name: /Details of/ })
          .allInnerTexts(),
      ).toEqual(['rejected', 'unverified', 'accepted'].map((result) => expect.stringContaining(result) as string));
      await page().getByRole('button', { name: 'unverified' }).press('Enter');
      await page().getByText('What should have been signed').waitFor();
      await page().getByRole('button', { name: 'unverified' }).click();
      await page().getByRole('button', { name: 'accepted' }).click();
      await button('Test this request again …').click();
      await confirm('Test 1 request');
      await dialog().getByText('12345678901234567890').last().waitFor();
      await dialog().getByText('duplicate', { exact: true }).waitFor();
      await closeDialog();
      await page().getByRole('link', { name: 'rejection', exact: true }).click();
      await page().getByRole('heading', { level: 1, name: 'invalid-event' }).waitFor();
      await page().getByLabel('Bytes as they were received').getByText('{"type":"sale"}').waitFor();
    }, 120_000);

    it('are mapped anew, with what a request would become before it is saved', async () => {
      const source = await createdSource(api.url, { tenantId: 'mapped', name: 'mapped', secrets: [SECRET] });
      await send(source, '{"type":"sale","id":"m-1","shop":"north"}');
      await ui.at.open(`/sources/${source.id}`, 'mapped');
      await button('Edit the mapping …').click();
      const editor = dialog().getByLabel(/^Mapping/);
      await editor.fill('{ "eventType": "type & \'.made\'", "subject": "/shop", "eventId": "/id" ');
      await dialog().getByText(/JSON/).last().waitFor();
      expect(await button('Save the mapping').isDisabled()).toBe(true);
      await editor.fill('{ "eventType": "type & \'.made\'", "subject": "/shop", "eventId": "/id" }');
      await dialog().getByText('"sale.made"').waitFor();
      expect((await sourceRow('mapped'))?.mapping).toMatchObject({ subject: '/id' });
      await editor.fill('{ "eventType": "type &", "subject": "/shop", "eventId": "/id" }');
      await dialog().getByRole('alert').getByText('/mapping/eventType').waitFor();
      await editor.fill('{ "eventType": "type & \'.made\'", "subject": "/shop", "eventId": "/id" }');
      await confirm('Save the mapping');
      await dialog().waitFor({ state: 'detached' });
      expect((await sourceRow('mapped'))?.mapping).toMatchObject({ subject: '/shop' });
    }, 120_000);

    it('get a new URL, and are paused and resumed', async () => {
      const source = await createdSource(api.url, { tenantId: 'turned', name: 'turned', secrets: [SECRET] });
      await ui.at.open(`/sources/${source.id}`, 'turned');
      await button('New URL …').click();
      await dialog().getByLabel('The present URL works').selectOption('no longer: it ends now');
      await confirm('Make 1 URL');
      const url = await dialog().getByLabel('URL for the producer').inputValue();
      await closeDialog();
      expect((await send(source, '{"type":"sale","id":"u-1"}')).status).toBe(404);
      expect((await send({ ...source, url }, '{"type":"sale","id":"u-1"}')).status).toBe(200);
      await button('Pause …').click();
      await confirm('Pause 1 source');
      await button('Resume …').waitFor();
      expect((await send({ ...source, url }, '{"type":"sale","id":"u-2"}')).status).toBe(503);
      await button('Resume …').click();
      await confirm('Resume 1 source');
      await button('Pause …').waitFor();
      expect((await sourceRow('turned'))?.status).toBe('active');
    }, 120_000);
  });

  describe('rejections', () => {
    it('are resubmitted by group, after a dry run that says what would become of them', async () => {
      const source = await createdSource(api.url, {
        ...{ tenantId: 'mended', name: 'mended', secrets: [SECRET] },
        mapping: { eventType: '/type', subject: '/shop' },
      });
      await send(source, '{"type":"sale","id":"r-1"}');
      await send(source, '{"type":"sale","id":"r-2"}');
      await ui.at.open(`/rejections?tenantId=mended`, 'Rejections');
      await page().getByRole('link', { name: 'mended' }).waitFor();
      await page().getByRole('link', { name: 'invalid-event' }).click();
      await button('Resubmit all …').click();
      await dialog().getByText('This changes 2 rejections.').waitFor();
      await dialog().getByText('2 rejections would be refused again: invalid-event 2.').waitFor();
      await dialog().getByRole('button', { name: 'Cancel' }).click();
      await call(`${api.url}/v1/admin/sources/${source.id}`, {
        method: 'PATCH',
        headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
        body: '{"mapping":{"eventType":"/type","subject":"/id"}}',
      });
      await button('Resubmit all …').click();
      await dialog().getByText('2 rejections would become events.').waitFor();
      expect(await statuses('mended')).toEqual(['OPEN', 'OPEN']);
      await dialog().getByLabel(/Note/).fill('the mapping was wrong');
      await confirm('Resubmit 2 rejections');
      await dialog().getByText('2 of 2 rejections resubmitted.').waitFor();
      expect(await statuses('mended')).toEqual(['RESUBMITTED', 'RESUBMITTED']);
      const { rows } = await api.pool.query('select note from admin_audit where action = $1', ['rejections.resubmit']);
      expect(rows).toEqual([{ note: 'the mapping was wrong' }]);
      await closeDialog();
      await page().getByText('This group is empty').waitFor();
    }, 120_000);

    it('are discarded in part, and found by keyboard with their filter in the address', async () => {
      await givenRejections('parted', 3);
      await ui.at.open('/', 'Overview');
      await page().keyboard.press('g');
      await page().keyboard.press('r');
      await page().getByRole('heading', { level: 1, name: 'Rejections' }).waitFor();
      await page().getByLabel('Tenant').fill('parted');
      await page().keyboard.press('Enter');
      await page().getByText('4 rejections in 2 groups').waitFor();
      expect(new URL(page().url()).search).toBe('?tenantId=parted');
      await page().getByRole('cell', { name: '/subject', exact: true }).waitFor();
      await page()
        .locator('body')
        .click({ position: { x: 1, y: 1 } });
      await page().keyboard.press('j');
      await page().keyboard.press('Enter');
      await page().getByRole('heading', { level: 1, name: 'invalid-event: 3 rejections' }).waitFor();
      const boxes = page().getByRole('checkbox', { name: /^Choose (?!all)/ });
      await boxes.first().check();
      await boxes.nth(1).check();
      await button('Discard 2 chosen …').click();
      await confirm('Discard 2 rejections');
      await dialog().getByText('2 of 2 rejections discarded.').waitFor();
      expect((await statuses('parted')).toSorted()).toEqual(['DISCARDED', 'DISCARDED', 'OPEN', 'OPEN']);
      await closeDialog();
    }, 120_000);

    it('are repaired one by one, to the last digit', async () => {
      await givenRejections('edited', 1);
      const [first] = await rejectionsOf(api.pool, 'edited');
      await ui.at.open(`/rejections/one/${first?.id}`, 'invalid-event');
      await page().getByLabel('Bytes as they were received').getByText('"amount":10.10').waitFor();
      await button('Edit and resubmit …').click();
      const editor = dialog().getByLabel('The record as JSON');
      expect(await editor.inputValue()).toContain('"amount": 10.10');
      await button('Show what becomes of it').click();
      await dialog().getByText('1 rejection would be refused again: invalid-event 1.').waitFor();
      await editor.fill('{"eventType":"sale","subject":"s-1","payload":{"amount":10.10,"big":12345678901234567890}}');
      await button('Show what becomes of it').click();
      await dialog().getByText('12345678901234567890').last().waitFor();
      expect(await statuses('edited')).toEqual(['OPEN', 'OPEN']);
      await confirm('Resubmit 1 rejection');
      await dialog().getByText('1 of 1 rejection resubmitted.').waitFor();
      await closeDialog();
      await page().getByRole('link', { name: 'The event that it became' }).waitFor();
      const [kept] = await rejectionsOf(api.pool, 'edited');
      expect(kept?.status).toBe('RESUBMITTED');
      expect((await getEvent(api.url, 'edited', kept?.eventId ?? '')).text).toContain('12345678901234567890');
    }, 120_000);

    it('hide their bytes, and what a viewer may not do, from a viewer', async () => {
      await givenRejections('viewed', 1);
      const [first] = await rejectionsOf(api.pool, 'viewed');
      const viewer = await givenOperator(api.pool, { role: 'viewer' });
      heedAccess(api.app);
      const other = await ui.other();
      await other.page.goto(`${api.url}/console/rejections/one/${first?.id}`);
      await other.signIn(viewer.text);
      await other.page.getByText('Your role does not see the bytes of rejections.').waitFor();
      await other.open('/rejections?tenantId=viewed', 'Rejections');
      await other.page.getByRole('link', { name: 'invalid-event' }).first().click();
      await other.page.getByText(/^\d+ rejections?$/).waitFor();
      expect(await other.page.getByRole('button', { name: /Resubmit|Discard|Edit/ }).count()).toBe(0);
      await other.context.close();
    }, 120_000);
  });

  describe('the live list', () => {
    const live = () => page().getByRole('region', { name: 'Events as they come' });
    const post = (tenantId: string, subject: string) =>
      postEvent(api.url, tenantId, `{"eventType":"tail.made","subject":"${subject}","payload":1}`);

    it('shows events as they come, stands still when asked, and leads to one of them', async () => {
      await post('tail', 'before');
      await ui.at.open('/live?tenantId=tail', 'Live');
      await page().getByText('connected', { exact: true }).waitFor();
      await live().getByText('before').waitFor();
      await post('tail', 'first');
      await post('elsewhere', 'not here');
      await live().getByText('first').waitFor();
      await expect(live().locator('li').first().innerText()).resolves.toContain('first');
      await live().locator('li', { hasText: 'first' }).getByText('COMPLETED').waitFor();
      await button('Pause').click();
      await post('tail', 'second');
      await button('Go on (1 new)').waitFor();
      expect(await live().getByText('second').count()).toBe(0);
      await button('Go on (1 new)').click();
      await live().getByText('second').waitFor();
      expect(await live().getByText('not here').count()).toBe(0);
      await page().getByLabel('Text in ids or subject').fill('SECO');
      await page().keyboard.press('Enter');
      await page().getByText('1 event', { exact: true }).waitFor();
      expect(new URL(page().url()).search).toBe('?tenantId=tail&text=SECO');
      await page()
        .locator('body')
        .click({ position: { x: 1, y: 1 } });
      await page().keyboard.press('j');
      await page().keyboard.press('Enter');
      await page().getByRole('heading', { level: 1, name: 'tail.made' }).waitFor();
    }, 120_000);

    it('draws only what is in view of many events', async () => {
      await ui.at.open('/live?tenantId=many', 'Live');
      await page().getByText('connected', { exact: true }).waitFor();
      const lines = Array.from({ length: 600 }, (_, i) => `{"eventType":"t","subject":"many-${i}","payload":${i}}`);
      await postStream(api.url, 'many', lines.join('\n'));
      await page().getByText('600 events', { exact: true }).waitFor();
      await live().getByText('many-599').waitFor();
      expect(await live().locator('li').count()).toBeLessThan(80);
      await page().evaluate("document.querySelector('.live-frame').scrollTo(0, 100000)");
      await live().getByText('many-0', { exact: true }).waitFor();
      expect(await live().locator('li').count()).toBeLessThan(80);
    }, 120_000);

    it('says why it does not go on, and goes on by itself', async () => {
      await page().route('**/v1/admin/live*', (route) => route.abort('connectionrefused'));
      await ui.at.open('/live?tenantId=lost', 'Live');
      await page().getByRole('alert').getByText('StreamForge does not respond.', { exact: false }).first().waitFor();
      await page().unroute('**/v1/admin/live*');
      await page().getByText('connected', { exact: true }).waitFor();
    }, 120_000);
  });

  /** The pages, with what shows that they are there. */
  async function pagesOf(tenantId: string): Promise<[string, string | RegExp, string][]> {
    const source = await createdSource(api.url, { tenantId, name: `till of ${tenantId}`, secrets: [SECRET] });
    await send(source, '{"type":"sale","id":"a-1"}');
    await send(source, '{"type":"sale"}');
    await send(source, '{}', 'another secret entirely');
    const [rejection] = await rejectionsOf(api.pool, tenantId);
    const { body } = await call<{ reasons: { id: string }[] }>(
      `${api.url}/v1/admin/rejections/reasons?tenantId=${tenantId}`,
      { headers: { 'x-admin-token': ADMIN_TOKEN } },
    );
    return [
      [`/live?tenantId=${tenantId}`, 'Live', '.live-row'],
      ['/live?tenantId=nobody', 'Live', '.empty'],
      [`/sources?tenantId=${tenantId}`, 'Sources', 'tbody tr'],
      ['/sources?tenantId=nobody', 'Sources', '.empty'],
      [`/sources/${source.id}`, `till of ${tenantId}`, 'tbody tr'],
      [`/rejections?tenantId=${tenantId}`, 'Rejections', 'tbody tr'],
      ['/rejections?tenantId=nobody', 'Rejections', '.empty'],
      [`/rejections/${body.reasons[0]?.id}`, /invalid-event/, 'tbody tr'],
      [`/rejections/one/${rejection?.id}`, 'invalid-event', '.code'],
      ['/rejections/one/01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', 'Rejection', '.fault'],
    ];
  }

  it.each(['light', 'dark'] as const)(
    'has no violation that axe finds, in %s colours',
    async (colorScheme) => {
      const pages = await pagesOf(`axe-${colorScheme}`);
      const other = await ui.other({ colorScheme });
      await other.page.goto(`${api.url}/console/sources`);
      await other.signIn(ADMIN_TOKEN);
      for (const [address, heading, shown] of pages) {
        await other.open(address, heading);
        await other.page.locator(shown).first().waitFor();
        expect([address, await other.violations()]).toEqual([address, []]);
      }
      const [address, heading] = pages.find(([one]) => one.startsWith('/sources/')) ?? ['', ''];
      await other.open(address, heading);
      await other.page.getByRole('button', { name: 'unverified' }).click();
      await other.page.getByText('What should have been signed').waitFor();
      expect(await other.violations()).toEqual([]);
      await other.page.getByRole('button', { name: 'Test this request again …' }).click();
      await other.page.getByRole('button', { name: 'Test 1 request' }).click();
      await other.page.getByText('The producer would get HTTP 401').waitFor();
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
      const other = await ui.other({ width });
      await other.page.goto(`${api.url}/console/sources`);
      await other.signIn(ADMIN_TOKEN);
      expect(await other.overflowing(pages)).toEqual([]);
      await other.context.close();
    },
    120_000,
  );
});
