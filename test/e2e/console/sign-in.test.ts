import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { openBrowser, type OpenBrowser } from '../../support/browser';
import { openConsole } from '../../support/console-page';
import { call, expectProblem } from '../../support/e2e-http';
import type { AuditPage } from '../../support/admin';
import { startProcess, type TestProcess } from '../../support/processes/process';

describe('the link that npm start prints', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-link-'));
  let streamforge: TestProcess;
  let chromium: OpenBrowser;
  beforeAll(async () => {
    fs.chmodSync(directory, 0o755); // as root, the database runs as another user
    streamforge = await startProcess({ STREAMFORGE_DATA_DIR: path.join(directory, 'data'), ADMIN_TOKEN: '' });
    chromium = await openBrowser();
  });
  afterAll(async () => {
    await chromium?.close();
    await streamforge?.end('SIGTERM');
    fs.rmSync(directory, { recursive: true, force: true });
  });
  const printed = (pattern: RegExp): string => pattern.exec(streamforge.output())?.[1] ?? '';
  const exchange = (code: string) =>
    call<{ token?: string }>(`${streamforge.url}/console/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });

  it('signs in once, leaves no code in the address, and is in the audit trail', async () => {
    const link = printed(/console\s+(http:\S+#code=\S+)/);
    const token = printed(/X-Admin-Token: (\S+)/);
    expectProblem(await exchange('a-guess'), 401, 'admin-token-invalid');
    const first = await openConsole(chromium.browser, streamforge.url);
    await first.page.goto(`${streamforge.url}/console/`);
    await first.page.getByLabel('Operator token').waitFor();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    await first.page.route('**/console/sign-in', async (route) => {
      await held;
      await route.continue();
    });
    await first.page.evaluate(`location.hash = '${new URL(link).hash}'`); // as when it is opened in this tab
    await first.page.getByText('Signing in …').waitFor();
    goOn();
    await first.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(first.page.url()).toMatch(/\/console\/?$/);
    expect(await first.page.evaluate(() => JSON.stringify(sessionStorage))).toContain(token);
    await first.page.reload();
    await first.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(first.faults).toEqual([]);

    const second = await openConsole(chromium.browser, streamforge.url);
    await second.page.goto(link);
    await second.page.getByText('The code of this link is used up, too old or wrong.').waitFor();
    expect(await second.violations()).toEqual([]);
    await second.signIn(token);
    await second.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(second.faults).toEqual([]);

    const { body } = await call<AuditPage>(`${streamforge.url}/v1/admin/audit`, {
      headers: { 'x-admin-token': token },
    });
    expect(body.entries).toMatchObject([{ action: 'sign-in', actor: 'admin', address: '127.0.0.1' }]);
  });

  it('refuses what is no code', async () => {
    expectProblem(await exchange(''), 400, 'invalid-request');
    expectProblem(await exchange('x'.repeat(101)), 400, 'invalid-request');
  });
});
