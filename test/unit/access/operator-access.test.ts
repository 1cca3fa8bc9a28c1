import { addressKey, plainAddress } from '../../../src/access/identity/networks';
import { isSameSecret } from '../../../src/access/operator-access';

describe('isSameSecret', () => {
  it('compares secrets of different lengths and of any characters', () => {
    expect(isSameSecret('a', 'a much longer secret')).toBe(false);
    expect(isSameSecret('ñ€', 'ñ€')).toBe(true);
  });
});

describe('addressKey', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['[2001:db8:1:2:3:4:5:6]:50123', '2001:db8:1:2::/64'],
  ])('counts requests from %s under %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('plainAddress', () => {
  it.each([
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::9', '2001:db8::9'],
    ['192.0.2.7:50123', '192.0.2.7'],
    ['[2001:db8::9]:50123', '2001:db8::9'],
    ['unix:', 'unix:'],
    ['x'.repeat(100), 'x'.repeat(64)],
  ])('writes %s as %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });
});
