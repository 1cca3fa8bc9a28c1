import { parseWanted, yamlOf, type Resource, type Wanted } from '../../../src/cli/apply/document';
import { exportedOf } from '../../../src/cli/apply/export-resources';
import { agrees, applyPlan } from '../../../src/cli/apply/plan';
import { refuseMissing, withSecrets } from '../../../src/cli/apply/references';

const NOTHING: Wanted = { tenants: [], sources: [], destinations: [] };
const ERP = { tenantId: 'acme', uid: 'erp', url: 'https://erp.example/hook', eventTypes: ['bill.*'] };
const having = (...destinations: Resource[]): Wanted => ({ ...NOTHING, destinations });

describe('the file of apply', () => {
  it.each([
    ['a: [', 'no YAML'],
    ['- 1', 'must have sections'],
    ['sinks: []', 'has a section "sinks"'],
    ['tenants: {}', 'tenants must be a list'],
    ['tenants: [{ name: x }]', 'tenants[0] has no "id"'],
    ['destinations: [{ uid: a }]', 'destinations[0] has no "tenantId"'],
    ['sources: [{ uid: a, tenantId: t }, { uid: a, tenantId: t }]', 'sources has "t/a" twice'],
  ])('is refused with what is wrong: %s', (text, sentence) => {
    expect(() => parseWanted(text)).toThrow(sentence);
  });

  it('may leave sections out, and comes back as it was written', () => {
    expect(parseWanted('tenants:')).toEqual(NOTHING);
    expect(parseWanted(yamlOf(having(ERP)))).toEqual(having(ERP));
  });
});

describe('a reference to a secret', () => {
  it('is replaced wherever it is, and every variable that is missing is named', () => {
    const missing = new Set<string>();
    const value = {
      secrets: [{ env: 'A' }, { env: 'B' }],
      auth: { type: 'bearer', token: { env: 'C' } },
      env: 'kept',
      n: null,
    };
    expect(withSecrets(value, { A: 'a', C: '' }, missing)).toMatchObject({ env: 'kept', n: null, secrets: ['a', ''] });
    expect(() => refuseMissing(missing)).toThrow('These variables are not set: B, C.');
  });
});

describe('the plan', () => {
  it('creates what is missing, changes what differs, and leaves the rest', () => {
    const there = having({ ...ERP, id: '1', timeoutMs: 1 }, { tenantId: 'acme', uid: 'other', id: '2' });
    expect(applyPlan(having(ERP), NOTHING, false)).toEqual([
      { kind: 'destinations', name: 'acme/erp', action: 'create', fields: [] },
    ]);
    expect(applyPlan(having(ERP), there, false)).toEqual([
      { kind: 'destinations', name: 'acme/erp', action: 'none', fields: [] },
    ]);
    const changed = applyPlan(having({ ...ERP, timeoutMs: 2, eventTypes: ['*'] }), there, true);
    expect(changed).toMatchObject([
      {
        name: 'acme/erp',
        action: 'change',
        fields: [{ field: 'eventTypes' }, { field: 'timeoutMs', before: 1, after: 2 }],
      },
      { name: 'acme/other', action: 'delete' },
    ]);
  });

  it('never deletes a tenant, and does not confuse tenants that use the same uid', () => {
    const there = { ...having({ ...ERP, tenantId: 'other' }), tenants: [{ id: 'acme' }] };
    expect(applyPlan(having(ERP), there, true).map(({ name, action }) => [name, action])).toEqual([
      ['acme/erp', 'create'],
      ['other/erp', 'delete'],
    ]);
  });

  it('compares secrets by their hints, and never shows one', () => {
    const there = having({ ...ERP, headers: { 'x-a': '…t789' }, auth: { type: 'bearer', token: '…' } });
    const same = {
      ...ERP,
      headers: { 'x-a': 'secret-t789' },
      auth: { type: 'bearer', token: 'short' },
      secret: 'whsec_x',
    };
    expect(applyPlan(having(same), there, false)).toMatchObject([{ action: 'none' }]);
    const other = applyPlan(having({ ...same, headers: { 'x-a': 'secret-t780' } }), there, false);
    expect(other).toMatchObject([{ action: 'change', fields: [{ field: 'headers' }] }]);
    expect(JSON.stringify(other)).not.toContain('t780');
  });

  it.each([
    [['whsec_abcd'], ['…abcd'], true],
    [['whsec_abcd'], [], false],
    [['whsec_abcd'], undefined, false],
    [null, null, true],
    [{ type: 'basic', username: 'a', password: 'p' }, { type: 'basic', username: 'b', password: '…' }, false],
  ])('%j agrees with the hint %j: %s', (secret, hint, same) => {
    expect(agrees(secret, hint)).toBe(same);
  });
});

describe('what is exported', () => {
  it('has references in place of secrets, and applied again it changes nothing', () => {
    const current: Wanted = {
      tenants: [{ id: 'acme', name: 'Acme', weight: 1, createdAt: 'x' }],
      sources: [
        { id: '1', tenantId: 'acme', uid: 'pay', name: 'pay', provider: 'stripe', secretHints: ['…abcd', '…'] },
      ],
      destinations: [
        { id: '2', ...ERP, filter: null, headers: { 'x-key': '…t789' }, auth: { type: 'bearer', token: '…' } },
      ],
    };
    const exported = exportedOf(current);
    expect(exported).toEqual({
      tenants: [{ id: 'acme', name: 'Acme', weight: 1 }],
      sources: [
        {
          ...{ uid: 'pay', tenantId: 'acme', name: 'pay', provider: 'stripe' },
          secrets: [{ env: 'ACME_PAY_SECRET' }, { env: 'ACME_PAY_SECRET_2' }],
        },
      ],
      destinations: [
        {
          ...{ ...ERP, filter: null },
          headers: { 'x-key': { env: 'ACME_ERP_HEADERS_X_KEY' } },
          auth: { type: 'bearer', token: { env: 'ACME_ERP_AUTH_TOKEN' } },
        },
      ],
    });
    const env = {
      ACME_PAY_SECRET: '12abcd',
      ACME_PAY_SECRET_2: 'x',
      ACME_ERP_HEADERS_X_KEY: 't789',
      ACME_ERP_AUTH_TOKEN: 'y',
    };
    const wanted = withSecrets(parseWanted(yamlOf(exported)), env, new Set()) as Wanted;
    expect(applyPlan(wanted, current, true).map(({ action }) => action)).toEqual(['none', 'none', 'none']);
  });
});
