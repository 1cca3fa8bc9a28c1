import type { AdminToken } from '../../../src/access/admin-token';
import { SignInCode } from '../../../src/admin/sign-in/sign-in-code';
import { parseSettings } from '../../../src/config/parse-settings';

const MINUTE_MS = 60_000;

function codeFor(env: Record<string, string> = {}, isGenerated = true): SignInCode {
  return new SignInCode(parseSettings({ NODE_ENV: 'test', ...env }), { isGenerated } as AdminToken);
}

describe('the code of the printed link', () => {
  it('signs in once', () => {
    const codes = codeFor();
    const code = codes.issue(0) ?? '';
    expect(code).toMatch(/^[\w-]{32}$/);
    expect([codes.take(code, 1), codes.take(code, 2)]).toEqual([true, false]);
  });

  it('ends after 15 minutes', () => {
    const codes = codeFor();
    const code = codes.issue(0) ?? '';
    expect(codes.take(code, 15 * MINUTE_MS)).toBe(false);
    expect(codes.take(code, 1)).toBe(false);
    const other = codes.issue(0) ?? '';
    expect(codes.take(other, 15 * MINUTE_MS - 1)).toBe(true);
  });

  it('ends with the fifth wrong one', () => {
    const codes = codeFor();
    const patient = codes.issue(0) ?? '';
    for (let n = 0; n < 4; n += 1) expect(codes.take(`guess-${n}`, 1)).toBe(false);
    expect(codes.take(patient, 1)).toBe(true);
    const code = codes.issue(0) ?? '';
    for (let n = 0; n < 5; n += 1) expect(codes.take(`guess-${n}`, 1)).toBe(false);
    expect(codes.take(code, 1)).toBe(false);
  });

  it('is replaced by the next one, and no text is right without one', () => {
    const codes = codeFor();
    expect(codes.take('', 0)).toBe(false);
    const old = codes.issue(0) ?? '';
    const code = codes.issue(0) ?? '';
    expect([codes.take(old, 1), codes.take(code, 1)]).toEqual([false, true]);
  });

  it.each([
    ['with a database of its own', { DATABASE_URL: 'postgres://sf@localhost/sf' }, true],
    ['on another address', { HOST: '0.0.0.0' }, true],
    ['without the api', { APP_ROLE: 'publisher,worker' }, true],
    ['with a chosen admin token', {}, false],
  ])('is not made %s', (_, env, isGenerated) => expect(codeFor(env, isGenerated).issue()).toBeUndefined());
});
