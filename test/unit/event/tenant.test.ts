import { isTenantId } from '../../../src/event/tenant';

describe('isTenantId', () => {
  it.each(['a', '7', 'acme', 'Acme-1.eu:shop_2', 'x'.repeat(128)])('accepts %s', (text) => {
    expect(isTenantId(text)).toBe(true);
  });

  it.each(['', 'x'.repeat(129), '-a', '.a', '_a', ':a', 'a b', 'a/b', 'a,b', 'é', 'a\n', ' a', '../a', '*'])(
    'rejects %j',
    (text) => {
      expect(isTenantId(text)).toBe(false);
    },
  );
});
