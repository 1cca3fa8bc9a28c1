import { hasAdminToken, isSameSecret } from '../../../src/access/admin-token';

describe('the admin token', () => {
  const sends = (sent?: unknown, token: string | undefined = 'secret'): boolean =>
    hasAdminToken({ 'x-admin-token': sent as string }, token);

  it('opens only by the whole secret', () => {
    expect(sends('secret')).toBe(true);
    for (const sent of ['', 'secre', 'secrets', 'Secret', ' secret', undefined]) expect(sends(sent)).toBe(false);
  });

  it('is not taken when it is sent twice', () => {
    expect(sends('secret, secret')).toBe(false);
    expect(sends(['secret', 'secret'])).toBe(false);
  });

  it('opens nothing where none is set', () => {
    expect(hasAdminToken({}, undefined)).toBe(false);
    expect(hasAdminToken({ 'x-admin-token': 'undefined' }, undefined)).toBe(false);
    expect(hasAdminToken({ 'x-admin-token': '' }, undefined)).toBe(false);
  });

  it('is compared without a complaint about different lengths', () => {
    expect(isSameSecret('a', 'a much longer secret')).toBe(false);
    expect(isSameSecret('ñ€', 'ñ€')).toBe(true);
  });
});
