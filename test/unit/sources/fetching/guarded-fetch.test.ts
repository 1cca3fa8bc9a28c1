import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { AddressGuard } from '../../../../src/destinations/address/address-guard';
import { configuredUrl } from '../../../../src/sources/fetching/allowed-url';
import { FETCH_TIMEOUT_MS, GuardedFetch } from '../../../../src/sources/fetching/guarded-fetch';
import { makeCertificate } from '../../../support/sources/certificate';

const { pem, privateKey } = makeCertificate({ host: 'keys.example.com' });
const trusted = tls.getCACertificates('default');

let server: Server;
let requests: string[] = [];
let held = 0;

const guard = (isPrivateAllowed: boolean): AddressGuard =>
  new AddressGuard({ DESTINATIONS_ALLOW_PRIVATE: isPrivateAllowed, DESTINATIONS_ALLOWED_CIDRS: [] }, () =>
    Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
  );
const url = (path: string, host = 'keys.example.com') =>
  configuredUrl(`https://${host}:${(server.address() as AddressInfo).port}${path}`);

beforeAll(async () => {
  tls.setDefaultCACertificates([...trusted, pem]);
  server = createServer(
    { cert: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      if (request.url === '/hold') held++;
      else if (request.url === '/moved') response.writeHead(302, { location: '/keys' }).end();
      else if (request.url === '/large') response.end('x'.repeat(65_537));
      else if (request.url === '/cut')
        response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy());
      else response.end('the keys');
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  tls.setDefaultCACertificates(trusted);
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  requests = [];
  held = 0;
});

describe('fetching from a provider', () => {
  it('returns status and text', async () => {
    const answer = await new GuardedFetch(guard(true)).get(url('/keys?a=1'));
    expect(answer).toEqual({ status: 200, text: 'the keys' });
    expect(requests).toEqual(['GET /keys?a=1']);
  });

  it('follows no redirect', async () => {
    expect(await new GuardedFetch(guard(true)).get(url('/moved'))).toEqual({ status: 302, text: '' });
    expect(requests).toEqual(['GET /moved']);
  });

  it.each([
    ['an answer that is too large', '/large', 'keys.example.com'],
    ['an answer that breaks off', '/cut', 'keys.example.com'],
    ['a certificate of another host', '/keys', 'other.example.com'],
  ])('fails for %s', async (_what, path, host) => {
    await expect(new GuardedFetch(guard(true)).get(url(path, host))).rejects.toThrow('cannot be fetched');
  });

  it.each(['keys.example.com', '127.0.0.1', '[::1]'])('does not connect to a private address: %s', async (host) => {
    const fetched = new GuardedFetch(guard(false)).get(url('/keys', host));
    await expect(fetched).rejects.toMatchObject({ cause: { code: 'ADDRESS_REFUSED' } });
    expect(requests).toEqual([]);
  });

  it('gives up after five seconds, and fetches four at a time from one place', async () => {
    const fetcher = new GuardedFetch(guard(true));
    const startedMs = performance.now();
    const slow = [1, 2, 3, 4].map(() => fetcher.get(url('/hold')));
    await expect(fetcher.get(url('/keys'))).rejects.toThrow('Too much is being fetched');
    const results = await Promise.allSettled(slow);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(performance.now() - startedMs).toBeGreaterThan(FETCH_TIMEOUT_MS - 100);
    expect(held).toBe(4);
    expect(await fetcher.get(url('/keys'))).toMatchObject({ status: 200 });
  });

  it('gives up when a name server or a connection says nothing', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const unresolved = new AddressGuard({ DESTINATIONS_ALLOW_PRIVATE: true, DESTINATIONS_ALLOWED_CIDRS: [] }, () => {
      return new Promise(() => undefined);
    });
    const startedMs = performance.now();
    const results = await Promise.allSettled([
      new GuardedFetch(guard(true)).get(configuredUrl(`https://keys.example.com:${port}/`)),
      new GuardedFetch(unresolved).get(url('/keys')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(performance.now() - startedMs).toBeLessThan(2 * FETCH_TIMEOUT_MS);
    silent.close();
  });

  it('fetches sixty times a minute from one place', async () => {
    const fetcher = new GuardedFetch(guard(true));
    for (let i = 0; i < 60; i++) await fetcher.get(url(`/${i}`));
    await expect(fetcher.get(url('/61'))).rejects.toThrow('Too much is being fetched');
    expect(requests).toHaveLength(60);
  });
});
