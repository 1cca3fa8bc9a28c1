import { lookup } from 'node:dns/promises';
import { AddressGuard, AddressRefusedError } from '../../../../src/destinations/address/address-guard';
import { NameCache } from '../../../../src/destinations/names/name-cache';
import { resolverOf, type Resolve } from '../../../../src/destinations/names/resolve-names';
import {
  candidatesOf,
  parseHosts,
  parseResolver,
  SystemNamesReader,
} from '../../../../src/destinations/names/system-names';
import { TestNameServer } from '../../../support/name-server';

const HOSTS = `
127.0.0.1 localhost # loopback
10.1.1.1  Shop.internal shop
fd00::1   shop.internal
fe80::1%lo0 zoned
# 10.9.9.9 nobody
`;

describe('the resolver of destinations', () => {
  let server: TestNameServer;
  let resolve: Resolve;
  beforeEach(async () => {
    server = await TestNameServer.start();
    resolve = resolver('search svc.cluster.test cluster.test\noptions ndots:2');
  });
  afterEach(() => server.stop());

  const resolver = (resolverText: string): Resolve =>
    resolverOf([server.address], new SystemNamesReader((file) => (file === '/etc/hosts' ? HOSTS : resolverText)));

  it('finds IPv4 and IPv6 addresses, in this order', async () => {
    server.names.set('hooks.example.test', { addresses: ['2001:db8::7', '192.0.2.1', '192.0.2.2'] });
    expect(await resolve('hooks.example.test')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ]);
  });

  it('follows a CNAME', async () => {
    server.names.set('shop.example.test', { cname: 'edge.example.test' });
    server.names.set('edge.example.test', { addresses: ['192.0.2.9'] });
    expect(await resolve('shop.example.test')).toEqual([{ address: '192.0.2.9', family: 4 }]);
  });

  it('finds a name that has addresses of one family only', async () => {
    server.names.set('six.example.test', { addresses: ['2001:db8::1'] });
    expect(await resolve('six.example.test')).toEqual([{ address: '2001:db8::1', family: 6 }]);
  });

  it('has the IPv4 addresses of a name at once whose servers are silent about IPv6', async () => {
    const addresses = ['192.0.2.1', '2001:db8::7'];
    server.names.set('middlebox.example.test', { addresses, silentFor: 'AAAA' });
    const startMs = performance.now();
    expect(await resolve('middlebox.example.test')).toEqual([{ address: '192.0.2.1', family: 4 }]);
    expect(performance.now() - startMs).toBeLessThan(1_800);
    expect(server.queries).toContain('middlebox.example.test AAAA');
  });

  it('waits for the IPv6 addresses of a name whose servers are silent about IPv4', async () => {
    server.names.set('six.example.test', { addresses: ['192.0.2.1', '2001:db8::7'], silentFor: 'A' });
    expect(await resolve('six.example.test')).toEqual([{ address: '2001:db8::7', family: 6 }]);
  });

  it('reads /etc/hosts first, whatever the case and the final dot', async () => {
    server.names.set('shop.internal', { addresses: ['192.0.2.1'] });
    const addresses = [
      { address: '10.1.1.1', family: 4 },
      { address: 'fd00::1', family: 6 },
    ];
    expect(await resolve('shop.internal')).toEqual(addresses);
    expect(await resolve('shop.internal.')).toEqual(addresses);
    expect(server.queries).toEqual([]);
  });

  it('knows localhost and what is below it', async () => {
    expect(await resolve('localhost')).toEqual([{ address: '127.0.0.1', family: 4 }]); // as /etc/hosts says
    expect((await resolve('a.localhost')).map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
    expect(server.queries).toEqual([]);
  });

  it('knows that nothing is below .invalid', async () => {
    await expect(resolve('no-such-host.invalid')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(server.queries).toEqual([]);
  });

  it('tries the search list of /etc/resolv.conf', async () => {
    server.names.set('orders.svc.cluster.test', { addresses: ['10.2.2.2'] });
    expect(await resolve('orders')).toEqual([{ address: '10.2.2.2', family: 4 }]);
    server.names.set('api.shop.cluster.test', { addresses: ['10.3.3.3'] });
    expect(await resolve('api.shop')).toEqual([{ address: '10.3.3.3', family: 4 }]);
  });

  it('goes on with the next name when the servers of a suffix fail', async () => {
    server.names.set('orders.svc.cluster.test', { code: 'servfail' });
    server.names.set('orders.cluster.test', { addresses: ['10.4.4.4'] });
    expect(await resolve('orders')).toEqual([{ address: '10.4.4.4', family: 4 }]);
  });

  it('says ENOTFOUND for a name that does not exist', async () => {
    await expect(resolve('nobody.example.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('says that the name servers failed', async () => {
    server.names.set('broken.example.test', { code: 'servfail' });
    await expect(resolve('broken.example.test')).rejects.toMatchObject({ name: 'NameError' });
  });

  it('gives up a silent name server within 5 s', async () => {
    server.names.set('silent.example.test', 'silent');
    const startMs = performance.now();
    await expect(resolve('silent.example.test')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(performance.now() - startMs).toBeLessThan(8_000);
  });

  it('I10: silent name servers of many names delay neither other names nor the thread pool', async () => {
    for (let n = 0; n < 60; n++) server.names.set(`silent-${n}.example.test`, 'silent');
    server.names.set('healthy.example.test', { addresses: ['192.0.2.1'] });
    const silent = Array.from({ length: 60 }, (_, n) => resolve(`silent-${n}.example.test`).catch(() => 'failed'));
    const startMs = performance.now();
    await resolve('healthy.example.test');
    await lookup('localhost'); // needs a thread of the pool
    expect(performance.now() - startMs).toBeLessThan(900);
    expect(await Promise.all(silent)).toEqual(Array<string>(60).fill('failed'));
  });

  it('remembers an address for its TTL', async () => {
    server.names.set('hooks.example.test', { addresses: ['192.0.2.1'], ttlSeconds: 60 });
    await resolve('hooks.example.test');
    server.names.set('hooks.example.test', { addresses: ['192.0.2.2'] });
    expect(await resolve('hooks.example.test')).toEqual([{ address: '192.0.2.1', family: 4 }]);
    expect(server.queries).toHaveLength(2);
  });

  it('does not remember failures', async () => {
    await expect(resolve('late.example.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    server.names.set('late.example.test', { addresses: ['192.0.2.1'] });
    expect(await resolve('late.example.test')).toHaveLength(1);
  });

  describe('behind the guard', () => {
    const settings = { DESTINATIONS_ALLOW_PRIVATE: false, DESTINATIONS_ALLOWED_CIDRS: [] };
    const lookUp = (guard: AddressGuard, host: string): Promise<unknown> =>
      new Promise((done, failed) =>
        guard.lookup(host, { all: true }, (error, addresses) => (error ? failed(error) : done(addresses))),
      );

    it('a name is refused when it is re-bound to a private address, also when only one of its addresses is private', async () => {
      const guard = new AddressGuard(settings, resolve);
      server.names.set('rebound.example.test', { addresses: ['127.0.0.1'] });
      await expect(lookUp(guard, 'rebound.example.test')).rejects.toBeInstanceOf(AddressRefusedError);
      server.names.set('mixed.example.test', { addresses: ['8.8.8.8', 'fd00::1'] });
      await expect(lookUp(guard, 'mixed.example.test')).rejects.toBeInstanceOf(AddressRefusedError);
      server.names.set('alias.example.test', { cname: 'rebound.example.test' });
      await expect(lookUp(guard, 'alias.example.test')).rejects.toBeInstanceOf(AddressRefusedError);
      await expect(lookUp(guard, 'shop.internal')).rejects.toBeInstanceOf(AddressRefusedError);
      await expect(lookUp(guard, 'x.localhost')).rejects.toBeInstanceOf(AddressRefusedError);
    });

    it('look-ups of one name at the same time are one', async () => {
      const guard = new AddressGuard(settings, resolve);
      server.names.set('hooks.example.test', { addresses: ['8.8.8.8'] });
      await Promise.all(Array.from({ length: 50 }, () => lookUp(guard, 'hooks.example.test')));
      expect(server.queries).toHaveLength(2);
    });
  });
});

describe('the cache of names', () => {
  const addresses = [{ address: '192.0.2.1', family: 4 }];

  it.each([
    [0, 5],
    [1, 5],
    [12, 12],
    [86_400, 30],
  ])('keeps a name with a TTL of %d s for %d s', (ttlSeconds, keptSeconds) => {
    const cache = new NameCache();
    cache.set('a', addresses, ttlSeconds, 0);
    expect(cache.get('a', keptSeconds * 1_000 - 1)).toBe(addresses);
    expect(cache.get('a', keptSeconds * 1_000)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('is bounded, and forgets the oldest names first', () => {
    const cache = new NameCache();
    for (let n = 0; n < 10_000; n++) cache.set(`name-${n}`, addresses, 30, 0);
    expect(cache.size).toBe(4_096);
    expect(cache.get('name-9999', 1)).toBe(addresses);
    expect(cache.get('name-0', 1)).toBeUndefined();
  });
});

describe('the files of the system', () => {
  it('give the hosts', () => {
    const hosts = parseHosts(HOSTS);
    expect([...hosts.keys()].sort()).toEqual(['localhost', 'shop', 'shop.internal']);
    expect(parseHosts('garbage\n\n 300.1.1.1 x\n')).toEqual(new Map());
  });

  it.each([
    ['', { search: [], ndots: 1 }],
    [
      'nameserver 10.0.0.1\nsearch a.test b.test. \noptions edns0 ndots:5 trust-ad',
      { search: ['a.test', 'b.test'], ndots: 5 },
    ],
    ['search a.test\ndomain b.test', { search: ['b.test'], ndots: 1 }],
    ['options ndots:99', { search: [], ndots: 15 }],
    ['search . # none', { search: [], ndots: 1 }],
  ])('give the search list of %j', (text, expected) => {
    expect(parseResolver(text)).toEqual(expected);
  });

  it.each([
    ['shop', ['shop.a', 'shop.b', 'shop']],
    ['x.shop', ['x.shop.a', 'x.shop.b', 'x.shop']],
    ['x.y.shop', ['x.y.shop', 'x.y.shop.a', 'x.y.shop.b']],
    ['shop.', ['shop']],
  ])('give the names to ask for of %s', (hostname, names) => {
    expect(candidatesOf(hostname, { search: ['a', 'b'], ndots: 2 })).toEqual(names);
  });

  it('are read again after 5 s, not before', () => {
    let text = '10.0.0.1 a';
    const reader = new SystemNamesReader((file) => (file === '/etc/hosts' ? text : ''));
    expect(reader.current(0).hosts.has('a')).toBe(true);
    text = '10.0.0.1 b';
    expect(reader.current(4_999).hosts.has('b')).toBe(false);
    expect(reader.current(5_000).hosts.has('b')).toBe(true);
  });
});
