import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cliEnv, runStreamforge, type CliRun } from '../../support/cli';
import { useApp } from '../../support/fixtures/app';

const first = useApp({ DESTINATIONS_ALLOW_PRIVATE: 'true' });
const second = useApp({ DESTINATIONS_ALLOW_PRIVATE: 'true' });
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-apply-'));
const file = path.join(folder, 'acme.yaml');
afterAll(() => fs.rmSync(folder, { recursive: true }));

const SECRETS = {
  PAY: 'whsec_0123456789abcdef',
  ERP: 'a-token-of-the-receiver-9876',
  ACME_PAY_SECRET: 'whsec_0123456789abcdef',
  ACME_ERP_AUTH_TOKEN: 'a-token-of-the-receiver-9876',
};
const run = (url: string, args: string[], env: Record<string, string> = SECRETS): Promise<CliRun> =>
  runStreamforge(args, { env: cliEnv(url, env) });

const WANTED = `
tenants:
  - id: acme
    name: Acme Ltd
sources:
  - uid: pay
    tenantId: acme
    name: payments
    provider: stripe
    secrets: [{ env: PAY }]
destinations:
  - uid: erp
    tenantId: acme
    url: http://127.0.0.1:9/hook
    eventTypes: ['invoice.*']
    filter: { payload: { amount: { $gt: 100 } } }
    auth: { type: bearer, token: { env: ERP } }
`;

describe('streamforge apply', () => {
  beforeAll(() => fs.writeFileSync(file, WANTED));

  it('shows a plan, and changes nothing unless it is told to', async () => {
    const checked = await run(first.url, ['apply', '-f', file, '--check']);
    expect(checked.code).toBe(8);
    expect(checked.stdout).toBe('+ create tenants acme\n+ create sources acme/pay\n+ create destinations acme/erp\n');
    expect((await run(first.url, ['apply', '-f', file])).code).toBe(2);
    expect((await run(first.url, ['destinations', '--json'])).stdout).toBe('{"destinations":[],"nextCursor":null}\n');
    expect((await run(first.url, ['apply', '-f', file, '--yes'], {})).stderr).toContain('not set: ERP, PAY.');
  });

  it('makes it so once, and finds nothing to do the second time', async () => {
    const applied = await run(first.url, ['apply', '-f', file, '--yes']);
    expect(applied.code).toBe(0);
    expect(applied.stdout).toMatch(/^sources acme\/pay {2}url {5}http:\S+\/in\/\S+$/m);
    expect(applied.stdout).toMatch(/^destinations acme\/erp {2}secret {2}whsec_\S+$/m);
    const again = await run(first.url, ['apply', '-f', file, '--check']);
    expect(again).toMatchObject({ code: 0, stdout: '', stderr: '0 to change, 3 as they should be.\n' });
  });

  it('changes what differs only, and deletes nothing without --prune', async () => {
    fs.writeFileSync(file, WANTED.replace('invoice.*', '*').replace(/sources:[^]*destinations:/, 'destinations:'));
    const { plan } = JSON.parse((await run(first.url, ['apply', '-f', file, '--yes', '--json'])).stdout) as {
      plan: object[];
    };
    expect(plan).toEqual([
      {
        ...{ kind: 'destinations', name: 'acme/erp', action: 'change' },
        fields: [{ field: 'eventTypes', before: ['invoice.*'], after: ['*'] }],
      },
    ]);
    const pruned = await run(first.url, ['apply', '-f', file, '--prune', '--dry-run']);
    expect(pruned.stdout).toBe('- delete sources acme/pay\n');
  });

  it('makes another installation equal to an export', async () => {
    const exported = await run(first.url, ['export']);
    expect(exported.code).toBe(0);
    expect(exported.stdout).toContain('env: ACME_ERP_AUTH_TOKEN');
    expect(exported.stdout).not.toContain('9876');
    fs.writeFileSync(file, exported.stdout);
    expect((await run(second.url, ['apply', '-f', file, '--yes'])).code).toBe(0);
    expect((await run(second.url, ['export'])).stdout).toBe(exported.stdout);
    for (const { url } of [first, second]) {
      expect((await run(url, ['apply', '-f', file, '--check', '--prune'])).code).toBe(0);
    }
  });
});
