import type { AuditPage } from '../../support/admin';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { openBrowser, type OpenBrowser } from '../../support/browser';
import { openConsole } from '../../support/console-page';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, expectProblem } from '../../support/e2e-http';
import { CONSOLE_CLIENT, startIssuer, type TestIssuer } from '../../support/oidc-issuer';

const WRONG = { code: 'a-guess', codeVerifier: 'v'.repeat(43), redirectUri: 'http://localhost/console/' };

describe('signing in to the console with an OIDC issuer', () => {
  let database: TestDatabase;
  let issuer: TestIssuer;
  let chromium: OpenBrowser;
  let app: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    issuer = await startIssuer();
    app = await startTestApp(database.url, { APP_ROLE: 'api', ...issuer.env, ...CONSOLE_CLIENT });
    chromium = await openBrowser();
  });
  afterEach(() => {
    Object.assign(issuer, { claims: {}, refuses: false, mode: 'up' });
  });
  afterAll(async () => {
    await chromium?.close();
    await app?.close();
    await issuer?.close();
    await database?.drop();
  });

  const env = () => ({ APP_ROLE: 'api', ...issuer.env, ...CONSOLE_CLIENT });
  /** A page at the sign-in, on the way to the rejections. */
  const atSignIn = async () => {
    const at = await openConsole(chromium.browser, app.url);
    await at.page.goto(`${app.url}/console/rejections?status=OPEN`);
    await at.page.getByLabel('Operator token').waitFor();
    return at;
  };
  const button = `Continue with `;
  const post = (body: object) =>
    call(`${app.url}/console/sign-in/oidc`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    });

  it('leads to the issuer and back to the page that was asked for, and leaves no code in the address', async () => {
    const at = await atSignIn();
    expect(await at.violations()).toEqual([]);
    await at.page.getByRole('button', { name: button }).click();
    await at.page.getByRole('heading', { level: 1, name: 'Rejections' }).waitFor();
    expect(at.page.url()).toBe(`${app.url}/console/rejections?status=OPEN`);
    expect(at.faults).toEqual([]);
    const { body } = await call<AuditPage>(`${app.url}/v1/admin/audit`, { headers: { 'x-admin-token': ADMIN_TOKEN } });
    expect(body.entries).toMatchObject([{ action: 'sign-in', actor: 'oidc:ann@example.com', role: 'support' }]);
  });

  it('says that a person has no role here', async () => {
    issuer.claims = { groups: ['visitors'] };
    const at = await atSignIn();
    await at.page.getByRole('button', { name: button }).click();
    await at.page.getByText('its tokens give no role here').waitFor();
    expect(await at.page.evaluate('location.search')).toBe('?status=OPEN');
  });

  it('says that the issuer refuses', async () => {
    issuer.refuses = true;
    const at = await atSignIn();
    await at.page.getByRole('button', { name: button }).click();
    await at.page.getByText('The issuer has refused the sign-in: access_denied.').waitFor();
  });

  it('takes no code that another tab or somebody else has asked for', async () => {
    const at = await atSignIn();
    const begun = { state: 'mine', codeVerifier: 'v'.repeat(43), address: '/console/' };
    await at.page.evaluate(`sessionStorage.setItem('streamforge.issuer-sign-in', '${JSON.stringify(begun)}')`);
    const sent: string[] = [];
    at.page.on('request', (request) => void sent.push(request.method()));
    await at.page.goto(`${app.url}/console/?code=theirs&state=theirs`);
    await at.page.getByText('This sign-in was not begun in this tab.').waitFor();
    expect([at.page.url(), sent.includes('POST')]).toEqual([`${app.url}/console/`, false]);
  });

  it('refuses wrong codes, and after too many of them asks the issuer no more', async () => {
    expectProblem(await post(WRONG), 401, 'admin-token-invalid');
    expectProblem(await post({ ...WRONG, codeVerifier: 'short' }), 400, 'invalid-request');
    expectProblem(await post({ ...WRONG, redirectUri: 'https://evil.example/' }), 400, 'invalid-request');
    const other = await startTestApp(database.url, { ...env(), ADMIN_RATE_LIMIT_PER_MINUTE: '2' });
    try {
      const send = () =>
        call(`${other.url}/console/sign-in/oidc`, {
          ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(WRONG) },
        });
      expect([(await send()).status, (await send()).status]).toEqual([401, 401]);
      issuer.mode = 'error';
      expectProblem(await send(), 429, 'admin-rate-limited');
    } finally {
      await other.close();
    }
  });

  it('takes a token while the issuer does not answer', async () => {
    issuer.mode = 'error';
    const other = await startTestApp(database.url, env());
    try {
      expectProblem(await call(`${other.url}/console/sign-in/oidc`), 503, 'issuer-unavailable');
      const at = await openConsole(chromium.browser, other.url);
      await at.page.goto(`${other.url}/console/`);
      await at.signIn(ADMIN_TOKEN);
      await at.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      expect(at.faults).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('is not offered without OIDC_CLIENT_ID', async () => {
    const other = await startTestApp(database.url, { APP_ROLE: 'api', ...issuer.env });
    try {
      expect((await call(`${other.url}/console/sign-in/oidc`)).body).toEqual({ oidc: null });
    } finally {
      await other.close();
    }
  });
});
