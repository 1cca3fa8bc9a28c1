import {
  isAllowedPrivateAddress,
  isPublicAddress,
  literalAddress,
} from '../../../src/destinations/address/address-rules';

describe('isPublicAddress refuses', () => {
  it.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1', 'fec0::1'],
    ['link-local and metadata', '169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
    ['other metadata services', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
    ['shared (CGNAT)', '100.64.0.1', '100.127.255.255'],
    ['multicast and broadcast', '224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255'],
    ['reserved, documentation, benchmarks', '240.0.0.1', '192.0.2.1', '203.0.113.9', '198.18.0.1', '2001:db8::1'],
    ['IPv4-mapped', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:7f00:1'],
    ['IPv4 embedded in IPv6', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:1::1'],
    ['not an address', '', 'localhost', '1.2.3.4.5', 'fe80::zz'],
  ])('%s', (_kind, ...addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });
});

it.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])(
  'the public address %s is allowed',
  (address) => expect(isPublicAddress(address)).toBe(true),
);

it.each([
  ['http://2130706433/', '127.0.0.1'],
  ['http://0x7f.1/', '127.0.0.1'],
  ['http://0177.0.0.1/', '127.0.0.1'],
  ['http://127.1:8080/', '127.0.0.1'],
  ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
  ['http://１２７.0.0.1/', '127.0.0.1'],
  ['http://example.com/', undefined],
])('the host of %s is the address %s', (url, address) => {
  expect(literalAddress(new URL(url))).toBe(address);
});

describe('isAllowedPrivateAddress', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8'],
    ['::ffff:10.1.2.3', '10.0.0.0/8'],
    ['192.168.7.1', '192.168.7.0/24'],
    ['100.64.0.9', '100.64.0.0/10'],
    ['fd12::1', 'fd00::/8'],
    ['10.1.2.3', '0.0.0.0/0'],
  ])('allows %s in %s', (address, network) => {
    expect(isAllowedPrivateAddress(address, ['172.16.0.0/12', network])).toBe(true);
  });

  it.each([
    ['outside the networks', '10.0.0.0/16', '10.1.0.1', '192.168.0.1', 'fd00::1'],
    ['loopback', '0.0.0.0/0', '127.0.0.1', '::ffff:127.0.0.1'],
    [
      'link-local, unspecified, multicast, reserved',
      '0.0.0.0/0',
      '169.254.169.254',
      '0.0.0.0',
      '224.0.0.1',
      '240.0.0.1',
    ],
    ['the same of IPv6', '::/0', '::1', '::', 'fe80::1', 'fe80::1%eth0', 'ff02::1', '2001:db8::1'],
    ['metadata services', '::/0', 'fd00:ec2::254', 'fd00:0ec2:0::0254'],
    ['metadata services of IPv4', '0.0.0.0/0', '100.100.100.200', '168.63.129.16'],
    ['IPv4 embedded in IPv6', '::/0', '64:ff9b::a00:1', '2002:a00:1::'],
    ['not an address', '0.0.0.0/0', '', 'localhost'],
  ])('refuses %s', (_kind, network, ...addresses) => {
    expect(addresses.filter((address) => isAllowedPrivateAddress(address, [network]))).toEqual([]);
  });

  it('allows nothing without networks', () => {
    expect(isAllowedPrivateAddress('10.0.0.1', [])).toBe(false);
  });
});
