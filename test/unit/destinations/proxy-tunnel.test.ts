import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { LookupAddress } from 'node:dns';
import { checkProxy } from '../../../src/commands/doctor/check-proxy';
import { AddressGuard } from '../../../src/destinations/address/address-guard';
import type { OAuth2 } from '../../../src/destinations/auth/destination-auth';
import { fetchToken } from '../../../src/destinations/auth/fetch-token';
import { openConnections, post, type Answer } from '../../../src/destinations/delivery-client';
import type { Destination } from '../../../src/destinations/destination';
import type { AllowedUrl } from '../../../src/sources/fetching/allowed-url';
import { GuardedFetch } from '../../../src/sources/fetching/guarded-fetch';
import { makeCertificate } from '../../support/sources/certificate';
import { ConnectProxy } from '../../support/receivers/connect-proxy';
import { RawReceiver, send, type ReceiverOptions } from '../../support/receivers/raw-receiver';

const HOST = 'receiver.example.com';
const OK = send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const unknownName = (): Promise<LookupAddress[]> => Promise.reject(new Error('no such name'));

const SETTINGS = { DESTINATIONS_ALLOW_PRIVATE: false, DESTINATIONS_ALLOWED_CIDRS: [] };
const guardBehind = (proxyUrl: string, resolve = unknownName): AddressGuard =>
  new AddressGuard({ ...SETTINGS, DESTINATIONS_PROXY_URL: proxyUrl }, resolve);

describe('a delivery through a proxy', () => {
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
  ): Promise<() => Promise<Answer>> => {
    const guard = guardBehind(proxyUrl, resolve);
    const destination = { url, timeoutMs: 10_000, maxInFlight: 1 } as Destination;
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

  it('fails for now if the proxy refuses, does not answer with HTTP, or is not there', async () => {
    proxy.status = 407;
    const failed = { kind: 'failed', reason: 'CONNECTION_FAILED' };
    expect(await (await deliverTo(`http://${HOST}/hook`))()).toMatchObject({
      ...failed,
      message: 'PROXY_FAILED: the proxy answered 407',
    });
    const other = await RawReceiver.start(send('SSH-2.0\r\n\r\n'), { isEarly: true });
    ends.push(() => other.stop());
    const unfit = await deliverTo(`http://${HOST}/hook`, unknownName, `http://127.0.0.1:${other.port}`);
    expect(await unfit()).toMatchObject({ ...failed, message: 'PROXY_FAILED: the proxy answered no HTTP' });
    const nobody = await deliverTo(`http://${HOST}/hook`, unknownName, 'http://127.0.0.1:1');
    expect(await nobody()).toMatchObject({
      ...failed,
      message: 'PROXY_FAILED: the proxy cannot be reached (ECONNREFUSED)',
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
