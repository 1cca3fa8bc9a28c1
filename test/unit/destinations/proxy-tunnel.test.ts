import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Logger } from '@nestjs/common';
import type { LookupAddress } from 'node:dns';
import { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { checkProxy } from '../../../src/commands/doctor/check-proxy';
import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { Credentials } from '../../../src/destinations/auth/credentials';
import type { OAuth2 } from '../../../src/destinations/auth/destination-auth';
import { fetchToken } from '../../../src/destinations/auth/fetch-token';
import { openConnections, post, type Answer } from '../../../src/destinations/delivery-client';
import type { Destination } from '../../../src/destinations/destination';
import type { Resolve } from '../../../src/destinations/names/resolve-names';
import type { AllowedUrl } from '../../../src/sources/fetching/allowed-url';
import { GuardedFetch } from '../../../src/sources/fetching/guarded-fetch';
import { eventually } from '../../support/eventually';
import { makeCertificate } from '../../support/sources/certificate';
import { ConnectProxy } from '../../support/receivers/connect-proxy';
import { END, RawReceiver, send, type ReceiverOptions, type Respond } from '../../support/receivers/raw-receiver';

const HOST = 'receiver.example.com';
const OK = send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const unknownName = (): Promise<LookupAddress[]> => Promise.reject(new Error('no such name'));

const SETTINGS = { DESTINATIONS_ALLOW_PRIVATE: false, DESTINATIONS_ALLOWED_CIDRS: [] };
const guardBehind = (proxyUrl: string, resolve: Resolve = unknownName): AddressGuard =>
  new AddressGuard({ ...SETTINGS, DESTINATIONS_PROXY_URL: proxyUrl }, resolve);

describe('a delivery through a proxy', () => {
  beforeAll(() => void Logger.overrideLogger(false));
  let proxy: ConnectProxy;
  let ends: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    proxy = await ConnectProxy.start();
    ends = [() => proxy.stop()];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
  });

  const deliverTo = async (
    url: string,
    resolve: () => Promise<LookupAddress[]> = unknownName,
    proxyUrl = `http://sf:p%C3%A4ss@127.0.0.1:${proxy.port}`,
    timeoutMs = 10_000,
  ): Promise<() => Promise<Answer>> => {
    const guard = guardBehind(proxyUrl, resolve);
    const destination = { url, timeoutMs, maxInFlight: 1 } as Destination;
    const connections = openConnections(destination, guard);
    ends.push(() => connections.destroy());
    return () => post(connections, destination, { body: '{}', headers: {} }, new AbortController().signal);
  };
  const receiver = async (options: ReceiverOptions = {}, respond = OK): Promise<RawReceiver> => {
    const started = await RawReceiver.start(respond, options);
    ends.push(() => started.stop());
    return started;
  };

  it('opens one tunnel for several requests, with the credentials of the proxy', async () => {
    const { port } = await receiver();
    const deliver = await deliverTo(`http://${HOST}:${port}/hook`);
    expect(await deliver()).toMatchObject({ kind: 'answered', status: 200, text: 'ok' });
    expect(await deliver()).toMatchObject({ kind: 'answered', status: 200 });
    const authorization = `Basic ${Buffer.from('sf:päss').toString('base64')}`;
    expect(proxy.requests).toEqual([{ authority: `${HOST}:${port}`, authorization }]);
  });

  it('has TLS end to end', async () => {
    const { pem, privateKey } = makeCertificate({ host: HOST });
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, pem]);
    try {
      const tls = { cert: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
      const { port } = await receiver({ tls });
      const deliver = await deliverTo(`https://${HOST}:${port}/hook`);
      expect(await deliver()).toMatchObject({ kind: 'answered', status: 200, text: 'ok' });
    } finally {
      setDefaultCACertificates(before);
    }
  });

  it('is not sent to a name that is known to have a private address', async () => {
    const deliver = await deliverTo(`http://${HOST}/hook`, () => Promise.resolve([{ address: '10.0.0.1', family: 4 }]));
    expect(await deliver()).toMatchObject({ kind: 'failed', reason: 'ADDRESS_REFUSED' });
    expect(proxy.requests).toEqual([]);
  });

  it('fails for now if the proxy refuses the host', async () => {
    for (const status of [403, 502, 503]) {
      proxy.status = status;
      expect(await (await deliverTo(`http://${HOST}/hook`))()).toEqual({
        kind: 'failed',
        reason: 'CONNECTION_FAILED',
        message: `PROXY_FAILED: the proxy answered ${status}`,
      });
    }
    proxy.status = 'closes'; // the proxy answers other requests
    expect(await (await deliverTo(`http://${HOST}/hook`))()).toEqual({
      kind: 'failed',
      reason: 'CONNECTION_FAILED',
      message: 'PROXY_FAILED: the proxy closed the connection without an answer',
    });
  });

  it.each<[string, Respond, string]>([
    [
      'knows other credentials',
      send('HTTP/1.1 407 No\r\n\r\n'),
      'refuses the credentials in DESTINATIONS_PROXY_URL (407)',
    ],
    ['does not answer with HTTP', send('SSH-2.0\r\n\r\n'), 'does not answer with HTTP'],
    ['closes all connections', send(END), 'closed the connection without an answer'],
    ['hangs', () => undefined, 'does not answer'],
  ])('has not failed because of its destination if the proxy %s', async (_what, respond, why) => {
    const broken = await receiver({ isEarly: true }, respond);
    const deliver = await deliverTo(`http://${HOST}/hook`, unknownName, `http://127.0.0.1:${broken.port}`);
    const failed = { kind: 'failed', isOfProxy: true, message: `PROXY_UNAVAILABLE: the proxy ${why}` };
    expect(await deliver()).toMatchObject(failed);
    const { connections } = broken;
    expect(await deliver()).toMatchObject(failed);
    expect(broken.connections).toBe(connections); // it is left alone for a while
  });

  it('has not failed because of its destination, or its token endpoint, if the proxy is not there', async () => {
    const deliver = await deliverTo(`http://${HOST}/hook`, unknownName, 'http://127.0.0.1:1');
    const message = 'PROXY_UNAVAILABLE: the proxy cannot be reached (ECONNREFUSED)';
    expect(await deliver()).toMatchObject({ kind: 'failed', isOfProxy: true, message });
    const auth = { type: 'oauth2', tokenUrl: `http://${HOST}/token`, clientId: 'c', clientSecret: 's' } as const;
    const credentials = new Credentials(auth, guardBehind('http://127.0.0.1:1'));
    const noToken = { failure: 'the token endpoint cannot be reached', isOfProxy: true };
    expect(await credentials.headersWithin(10_000, 0)).toEqual(noToken);
  });

  it('has timed out if the proxy answers others, but not for this host', async () => {
    proxy.status = 'none';
    const deliver = await deliverTo(`http://${HOST}/hook`, unknownName, undefined, 3_000);
    expect(await deliver()).toEqual({ kind: 'failed', reason: 'TIMEOUT', message: expect.any(String) as string });
    expect(proxy.connections).toBeGreaterThan(1); // it was asked whether it answers at all
  });

  it('does not wait for a name server that is silent, and leaves the name to the proxy for a while', async () => {
    const { port } = await receiver();
    let asked = 0;
    const silent = (): Promise<never> => {
      asked += 1;
      return new Promise(() => undefined);
    };
    const guard = guardBehind(`http://127.0.0.1:${proxy.port}`, silent);
    const startedMs = performance.now();
    await guard.check(new URL(`http://${HOST}:${port}/hook`), 400);
    expect(performance.now() - startedMs).toBeLessThan(1_000); // a quarter of the time, and not all that a look-up may take
    for (let i = 0; i < 2; i++) {
      const destination = { url: `http://${HOST}:${port}/hook`, timeoutMs: 10_000, maxInFlight: 1 } as Destination;
      const connections = openConnections(destination, guard);
      ends.push(() => connections.destroy());
      const answer = await post(connections, destination, { body: '{}', headers: {} }, new AbortController().signal);
      expect(answer).toMatchObject({ kind: 'answered', status: 200 });
    }
    expect(asked).toBe(1);
  });

  it('remembers a bounded number of names that only the proxy may know', async () => {
    const asked: string[] = [];
    const guard = guardBehind(`http://127.0.0.1:${proxy.port}`, (name) => {
      asked.push(name);
      return Promise.reject(new Error('no such name'));
    });
    const names = Array.from({ length: 1_001 }, (_, i) => `n${i}.example.com`);
    for (const name of [...names, 'n1000.example.com', 'n0.example.com']) await guard.check(new URL(`http://${name}/`));
    expect(asked).toEqual([...names, 'n0.example.com']);
  });

  it('reaches the proxy while the name is looked up, and asks it for nothing before that', async () => {
    const lookup = Promise.withResolvers<LookupAddress[]>();
    const deliver = await deliverTo(`http://${HOST}/hook`, () => lookup.promise, undefined, 30_000);
    const delivered = deliver();
    await eventually(() => expect(proxy.connections).toBe(1));
    lookup.resolve([{ address: '10.0.0.1', family: 4 }]);
    expect(await delivered).toMatchObject({ kind: 'failed', reason: 'ADDRESS_REFUSED' });
    expect(proxy.requests).toEqual([]);
  });

  describe('whose tunnel is open', () => {
    const options = { protocol: 'http:', hostname: HOST, port: '80' } as buildConnector.Options;
    const connector = (): buildConnector.connector => guardBehind(`http://127.0.0.1:${proxy.port}`).connector(10_000);

    it('sends small requests at once, and notices a peer that is gone', async () => {
      const [noDelay, keepAlive] = [
        jest.spyOn(Socket.prototype, 'setNoDelay'),
        jest.spyOn(Socket.prototype, 'setKeepAlive'),
      ];
      const { port } = await receiver();
      const opened = await new Promise<Socket>((resolve, reject) =>
        connector()({ ...options, port: String(port) }, (error, socket) => (socket ? resolve(socket) : reject(error))),
      );
      const of = (spy: { mock: { contexts: unknown[]; calls: unknown[][] } }): unknown =>
        spy.mock.calls[spy.mock.contexts.indexOf(opened)];
      expect([of(noDelay), of(keepAlive)]).toEqual([[true], [true, 60_000]]);
      opened.destroy();
      jest.restoreAllMocks();
    });

    it('fails, and is closed, if it cannot be used', async () => {
      const { port } = await receiver();
      const fault = new Error('cannot be used');
      const results: unknown[] = [];
      await new Promise<void>((resolve) =>
        connector()({ ...options, port: String(port) }, (...[error, socket]) => {
          results.push(error ?? socket);
          if (error) resolve();
          else throw fault;
        }),
      );
      expect(results).toEqual([expect.any(Socket), fault]);
      expect((results[0] as Socket).destroyed).toBe(true);
    });
  });

  it('leads to token endpoints and to what providers publish as well', async () => {
    const body = '{"access_token":"t","expires_in":60}';
    const { port } = await receiver({}, send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    const guard = guardBehind(`http://127.0.0.1:${proxy.port}`);
    const auth = { tokenUrl: `http://${HOST}:${port}/token`, clientId: 'c', clientSecret: 's' } as OAuth2;
    expect(await fetchToken(auth, guard)).toEqual({ token: 't', validSeconds: 60 });
    const published = { href: `http://${HOST}:${port}/keys`, place: HOST } as AllowedUrl;
    expect(await new GuardedFetch(guard).get(published)).toEqual({ status: 200, text: body });
    const request = { authority: `${HOST}:${port}`, authorization: undefined };
    expect(proxy.requests).toEqual([request, request]);
  });

  it('is foreseen by doctor', async () => {
    expect(await checkProxy(undefined)).toEqual([]);
    expect(await checkProxy(`http://127.0.0.1:${proxy.port}`)).toMatchObject([{ severity: 'ok' }]);
    const [finding] = await checkProxy('http://127.0.0.1:1');
    expect(finding?.severity).toBe('problem');
    expect(finding?.sentence).toMatch(/\(ECONNREFUSED\): .*DESTINATIONS_PROXY_URL/);
  });
});
