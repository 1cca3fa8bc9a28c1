import type { FastifyInstance } from 'fastify';
import { parseSettings } from '../../../src/config/parse-settings';
import { createFastifyAdapter } from '../../../src/http/fastify-server';
import { KnownRoutes } from '../../../src/http/known-routes';
import { BufferBudget } from '../../../src/runtime/buffer-budget';
import { call } from '../../support/e2e-http';

const ROUTES = [
  '/',
  '/health',
  '/ready',
  '/metrics',
  '/docs',
  '/docs-json',
  '/runbooks/:alert',
  '/v1/events',
  '/v1/whoami',
  '/v1/admin/audit',
  '/in/:token',
];

function serverWith(env: Record<string, string>): FastifyInstance {
  const buffers = new BufferBudget(1_000_000);
  const server = createFastifyAdapter(parseSettings(env), new KnownRoutes(), buffers).getInstance<FastifyInstance>();
  for (const url of ROUTES) server.get(url, (request) => request.ip);
  return server;
}

describe('the address of a client', () => {
  const PROXIES = { TRUST_PROXY: '10.0.0.0/8,fd00::/8' };
  const addressOf = async (env: Record<string, string>, remoteAddress: string, forwarded: string) => {
    const server = serverWith(env);
    const headers = { host: 'localhost', 'x-forwarded-for': forwarded };
    const { payload } = await server.inject({ url: '/health', remoteAddress, headers });
    await server.close();
    return payload;
  };

  it.each([
    ['without TRUST_PROXY, is that of the connection', {}, '10.0.0.7', '192.0.2.7', '10.0.0.7'],
    ['is what a trusted proxy says', PROXIES, '10.0.0.7', '192.0.2.7', '192.0.2.7'],
    ['is what a trusted proxy says, over IPv6', PROXIES, 'fd00::7', '2001:db8::9', '2001:db8::9'],
    [
      'is what a trusted proxy says that has an IPv4-mapped address',
      PROXIES,
      '::ffff:10.0.0.7',
      '192.0.2.7',
      '192.0.2.7',
    ],
    ['is not what a stranger says', PROXIES, '203.0.113.5', '192.0.2.7', '203.0.113.5'],
    [
      'is the last one that no trusted proxy has',
      PROXIES,
      '10.0.0.7',
      '198.51.100.1, 192.0.2.7, 10.1.1.1',
      '192.0.2.7',
    ],
    ['is not what a client of the proxy pretends', PROXIES, '10.0.0.7', '10.9.9.9, 192.0.2.7', '192.0.2.7'],
  ])('%s', async (_what, env, remote, forwarded, address) => {
    expect(await addressOf(env, remote, forwarded)).toBe(address);
  });
});

describe('the Host header', () => {
  const statusOf = async (env: Record<string, string>, host: string) => {
    const server = serverWith(env);
    const { statusCode } = await server.inject({ url: '/health', headers: { host } });
    await server.close();
    return statusCode;
  };

  it.each([
    ...['localhost', 'LOCALHOST:3000', 'localhost.', '127.0.0.1:3000', '127.8.8.8', '[::1]:3000', '0x7f.1'],
    ...['shop.localhost', 'a.b.LocalHost:3000', 'shop.localhost.'],
  ])('may be %s on a loopback address', async (host) => {
    expect(await statusOf({}, host)).toBe(200);
    expect(await statusOf({ HOST: '::1' }, host)).toBe(200);
  });

  it.each([
    ...['evil.example', 'evil.example:3000', 'localhost.evil.example', '192.0.2.7', '[2001:db8::9]'],
    ...['evillocalhost', 'shop.localhost.evil.example'],
  ])('may not be %j on a loopback address', async (host) => {
    expect(await statusOf({}, host)).toBe(421);
    expect(await statusOf({ HOST: 'localhost' }, host)).toBe(421);
  });

  it('may be one of ALLOWED_HOSTS, on any port, beside that of PUBLIC_URL', async () => {
    const env = { ALLOWED_HOSTS: 'Intern.example.com, 192.0.2.7', PUBLIC_URL: 'https://events.example.com' };
    for (const host of ['intern.example.com', 'INTERN.example.com:8443', '192.0.2.7:80', 'events.example.com']) {
      expect([host, await statusOf(env, host)]).toEqual([host, 200]);
    }
    for (const host of ['example.com', 'x.intern.example.com'])
      expect([host, await statusOf(env, host)]).toEqual([host, 421]);
  });

  it.each(['a:80', 'https://a', 'a/b', '*.a', ''])('cannot be named as %j in ALLOWED_HOSTS', (text) => {
    expect(() => parseSettings({ ALLOWED_HOSTS: `a,${text}` })).toThrow(/ALLOWED_HOSTS/);
  });

  it('must be a host: anything else is 400 on every address', async () => {
    expect(await statusOf({}, 'localhost/x')).toBe(400);
    expect(await statusOf({ HOST: '0.0.0.0' }, 'localhost/x')).toBe(400);
  });

  it('may be that of PUBLIC_URL, on any port', async () => {
    const env = { PUBLIC_URL: 'https://events.example.com/gateway' };
    expect(await statusOf(env, 'events.example.com')).toBe(200);
    expect(await statusOf(env, 'Events.Example.com:8443')).toBe(200);
    expect(await statusOf(env, 'example.com')).toBe(421);
  });

  it('may be any on an address that others reach: the process cannot know its names', async () => {
    expect(await statusOf({ HOST: '0.0.0.0' }, 'anything.example')).toBe(200);
  });
});

describe('OPS_PORT', () => {
  let server: FastifyInstance;
  let url: string;
  let opsUrl: string;
  beforeAll(async () => {
    server = serverWith({ OPS_PORT: '0' });
    url = await server.listen({ port: 0, host: '127.0.0.1' });
    opsUrl = (await server.opsPort?.listen()) ?? '';
  });
  afterAll(() => server.close());
  const statusesOf = async (base: string, paths: readonly string[]) =>
    Object.fromEntries(
      await Promise.all(paths.map(async (path) => [path, (await call(`${base}${path}`)).status] as const)),
    );
  const served = (paths: readonly string[], status: number) => Object.fromEntries(paths.map((path) => [path, status]));

  it('serves everything', async () => {
    expect(await statusesOf(opsUrl, ROUTES)).toEqual(served(ROUTES, 200));
  });

  it('leaves to PORT what producers and probes need, however the path is written', async () => {
    const forAll = ['/health', '/ready', '/v1/events', '/v1/whoami', '/in/:token'];
    expect(await statusesOf(url, forAll)).toEqual(served(forAll, 200));
    const others = ROUTES.filter((route) => !forAll.includes(route));
    const written = [...others, '/%6detrics', '/v1/%61dmin/audit', '/metrics?x=/v1/events', '/v1/admin/nothing'];
    expect(await statusesOf(url, written)).toEqual(served(written, 404));
  });

  it('closes with the server', async () => {
    const other = serverWith({ OPS_PORT: '0' });
    await other.listen({ port: 0, host: '127.0.0.1' });
    const address = await other.opsPort?.listen();
    await other.close();
    await expect(call(`${address}/health`)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('that is taken stops the start', async () => {
    const other = serverWith({ OPS_PORT: new URL(opsUrl).port });
    await expect(other.opsPort?.listen()).rejects.toThrow(/EADDRINUSE/);
    await other.close();
  });
});
