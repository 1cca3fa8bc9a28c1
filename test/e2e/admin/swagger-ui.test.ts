import type { Locator, Page } from 'playwright-core';
import { givenDeadLetters } from '../../support/admin';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { openBrowser, type OpenBrowser } from '../../support/browser';
import { givenKey, givenOperator } from '../../support/credentials';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { eventually } from '../../support/eventually';

describe('Swagger UI in a real browser', () => {
  let database: TestDatabase;
  let all: TestApp;
  let chromium: OpenBrowser;
  let page: Page;
  beforeAll(async () => {
    database = await createTestDatabase();
    await givenDeadLetters(database.pool, 3, { tenantId: 'demo', message: ({ id }) => `answered 503 for ${id}` });
    all = await startTestApp(database.url);
    chromium = await openBrowser();
    page = await chromium.browser.newPage();
    await openDocs();
    await authorize({ tenant: 'demo', 'admin-token': ADMIN_TOKEN });
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await all.close();
    await database.drop();
  });

  async function openDocs(): Promise<void> {
    await page.goto(`${all.url}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).first().waitFor();
  }

  /** Enters credentials by the names of their security schemes. */
  async function authorize(credentials: Record<string, string>): Promise<void> {
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    for (const [name, value] of Object.entries(credentials)) {
      const heading = page.locator('h4', { has: page.locator('code', { hasText: new RegExp(`^${name}$`) }) });
      const scheme = page.locator('.auth-container').filter({ has: heading });
      await scheme.locator('input').fill(value);
      await scheme.getByRole('button', { name: 'Apply credentials' }).click();
    }
    await page.locator('.modal-ux .close-modal').click();
  }

  /** Opens an endpoint, presses "Try it out" and "Execute", and reads the answer. */
  async function tryOut(method: string, route: string, prepare?: (operation: Locator) => Promise<void>) {
    const operation = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${route}"]`) });
    await operation.locator('.opblock-summary-control').click();
    const execute = operation.getByRole('button', { name: 'Execute' });
    const begin = operation.getByRole('button', { name: 'Try it out' });
    await execute.or(begin).first().waitFor();
    if (await begin.isVisible()) await begin.click(); // the second time it is still begun
    await prepare?.(operation);
    await execute.click();
    const response = operation.locator('.live-responses-table .response');
    await response.locator('.response-col_status').waitFor();
    const status = Number.parseInt(await response.locator('.response-col_status').innerText(), 10);
    const body = await response.locator('.microlight, .highlight-code').first().innerText();
    await operation.getByRole('button', { name: 'Clear' }).click();
    await operation.locator('.opblock-summary-control').click();
    return {
      status,
      text: body,
      body: JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as Record<string, unknown>,
    };
  }

  it('lets an operator list reasons, try a dry run and retry, until the events are COMPLETED', async () => {
    const reasons = await tryOut('get', '/v1/admin/dlq/reasons');
    expect(reasons).toMatchObject({
      status: 200,
      body: { total: 3, reasons: [{ reasonCode: 'HTTP_5XX', count: 3 }] },
    });

    const counted = await tryOut('post', '/v1/admin/dlq/retry'); // the example is a dry run
    expect(counted).toMatchObject({ status: 202, body: { matched: 3, retried: 0, dryRun: true } });
    expect(await statusCounts(database.pool, 'demo')).toEqual({ DLQ: 3 });

    const retried = await tryOut('post', '/v1/admin/dlq/retry', (operation) =>
      operation.locator('textarea').fill(JSON.stringify({ tenantId: 'demo', reasonCode: 'HTTP_5XX' })),
    );
    expect(retried).toMatchObject({ status: 202, body: { matched: 3, retried: 3 } });
    await eventually(async () => expect(await statusCounts(database.pool, 'demo')).toEqual({ COMPLETED: 3 }));

    const found = await tryOut('get', '/v1/admin/events');
    expect(found.status).toBe(200);
    expect(found.body.events).toMatchObject([
      { status: 'COMPLETED' },
      { status: 'COMPLETED' },
      { status: 'COMPLETED' },
    ]);
  }, 120_000);

  it('accepts an event with the unchanged example', async () => {
    const accepted = await tryOut('post', '/v1/events');
    expect(accepted).toMatchObject({ status: 202, body: { status: 'accepted', tenantId: 'demo' } });
  }, 120_000);

  it('sends the numbers of an event as they were typed, and shows them as they were sent', async () => {
    const payload = '{"price":10.10,"big":12345678901234567890,"text":"a, {b}: \\"c\\"","none":{},"list":[1.0,[]]}';
    const sent = await tryOut('post', '/v1/events', (operation) =>
      operation
        .locator('textarea')
        .fill(`{"eventId":"exact","eventType":"sale.completed","subject":"exact","payload":${payload}}`),
    );
    expect(sent.status).toBe(202);
    const stored = await database.pool.query<{ text: string }>(
      "select payload::text as text from events where event_id = 'exact'",
    );
    expect(stored.rows).toEqual([{ text: payload }]);

    const shown = await tryOut('get', '/v1/events/{id}', async (operation) => {
      await operation.locator('tr[data-param-name="id"] input').fill('exact');
    });
    expect(shown.text).toContain('"price": 10.10,');
    expect(shown.text).toContain('"big": 12345678901234567890,');
    expect(shown.text).toContain('"text": "a, {b}: \\"c\\"",');
    expect(shown.text).toMatch(/"none": \{\},\s+"list": \[\s+1\.0,\s+\[\]\s+\]/);
  }, 120_000);

  it('forgets the credentials when the page is loaded again', async () => {
    await openDocs();
    const refused = await tryOut('get', '/v1/admin/outbox');
    expect(refused).toMatchObject({ status: 401, body: { code: 'admin-token-invalid' } });
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain(ADMIN_TOKEN);
  }, 120_000);

  it.each(['api-key', 'bearer'])(
    'sends an API key that was entered under %s, which gives the tenant',
    async (scheme) => {
      const key = await givenKey(database.pool, { tenantId: 'by-key' });
      await openDocs();
      await authorize({ [scheme]: key.text });
      const who = await tryOut('get', '/v1/whoami');
      expect(who).toMatchObject({ status: 200, body: { kind: 'key', id: key.id, tenantId: 'by-key' } });
      const sent = await tryOut('post', '/v1/events');
      expect(sent.body).toMatchObject({ tenantId: 'by-key' });
    },
    120_000,
  );

  it.each(['admin-token', 'bearer'])(
    'sends an operator token that was entered under %s',
    async (scheme) => {
      const operator = await givenOperator(database.pool, { role: 'viewer' });
      await openDocs();
      await authorize({ [scheme]: operator.text });
      const who = await tryOut('get', '/v1/whoami');
      expect(who).toMatchObject({ status: 200, body: { kind: 'operator', id: operator.id, role: 'viewer' } });
      expect((await tryOut('get', '/v1/admin/outbox')).status).toBe(200);
      expect(await tryOut('post', '/v1/admin/outbox/retry')).toMatchObject({ status: 403 });
    },
    120_000,
  );
});
