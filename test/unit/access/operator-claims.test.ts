import type { RoleClaim } from '../../../src/config/oidc-kinds';
import { operatorFrom, roleFrom } from '../../../src/access/oidc/operator-claims';

const MAPPING: RoleClaim[] = [
  { claim: 'groups', value: 'support', role: 'support' },
  { claim: 'groups', value: 'platform', role: 'owner' },
  { claim: 'realm_access.roles', value: 'viewer', role: 'viewer' },
  { claim: 'https://example.com/roles', value: 'ops', role: 'operator' },
];

describe('roleFrom', () => {
  it.each([
    [{ groups: ['other', 'support'] }, 'support'],
    [{ groups: 'support' }, 'support'],
    [{ groups: ['support', 'platform'] }, 'owner'],
    [{ realm_access: { roles: ['viewer'] } }, 'viewer'],
    [{ 'realm_access.roles': ['viewer'] }, 'viewer'],
    [{ 'https://example.com/roles': ['ops'] }, 'operator'],
    [{ 'https://example.com/roles': ['ops'], groups: ['support'] }, 'operator'],
  ])('gives %j the role %s', (claims, role) => {
    expect(roleFrom(claims, MAPPING)).toBe(role);
  });

  it.each([
    {},
    { groups: ['platform-team'] },
    { groups: 'support platform' },
    { groups: [['platform']] },
    { groups: { platform: true } },
    { groups: null },
    { group: ['platform'] },
    { realm_access: ['viewer'] },
    { realm_access: null },
  ])('gives %j no role', (claims) => {
    expect(roleFrom(claims, MAPPING)).toBeUndefined();
  });

  it('finds nothing that the claims only inherit', () => {
    const inherited: RoleClaim[] = [{ claim: 'constructor.name', value: 'Object', role: 'owner' }];
    expect(roleFrom({}, inherited)).toBeUndefined();
  });
});

describe('operatorFrom', () => {
  const operator = (claims: Record<string, unknown>) => operatorFrom({ groups: ['support'], ...claims }, MAPPING);

  it('names the operator by e-mail address, user name or sub, with a prefix that no other operator has', () => {
    const claims = { sub: '00u1', preferred_username: 'ann', email: 'ann@example.com' };
    expect(operator(claims)).toEqual({
      kind: 'operator',
      id: '00u1',
      name: 'oidc:ann@example.com',
      role: 'support',
      tenantIds: null,
    });
    expect(operator({ ...claims, email: undefined })?.name).toBe('oidc:ann');
    expect(operator({ sub: 'admin' })?.name).toBe('oidc:admin');
  });

  it('does not use an address that the issuer has not verified, nor a name that cannot be stored or shown', () => {
    expect(operator({ sub: '1', email: 'boss@example.com', email_verified: false })?.name).toBe('oidc:1');
    const borrowed = { email: 'me@example.com', email_verified: false, preferred_username: 'boss@example.com' };
    expect(operator({ sub: '1', ...borrowed })?.name).toBe('oidc:1');
    expect(operator({ sub: '1', ...borrowed, preferred_username: 'me' })?.name).toBe('oidc:me');
    expect(operator({ sub: '1', email: 'a\0b' })?.name).toBe('oidc:1');
    expect(operator({ sub: '1', email: 'a\nb', preferred_username: 'x'.repeat(201) })?.name).toBe('oidc:1');
    expect(operator({ sub: '1', email: '\ud800' })?.name).toBe('oidc:1');
    expect(operator({ sub: '1', email: ['a'], preferred_username: 7 })?.name).toBe('oidc:1');
  });

  it.each([undefined, '', 7, 'a\0b', 'x'.repeat(201)])('refuses the sub %j', (sub) => {
    expect(operator({ sub })).toBeUndefined();
  });
});
