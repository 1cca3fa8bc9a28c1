import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { eventually } from '../../support/eventually';
import { openReceiver, type OpenReceiver } from '../../support/receivers/open-receiver';
import { END, oneByOne, RESET, send } from '../../support/receivers/raw-receiver';
import { makeCertificate } from '../../support/sources/certificate';

const OK = 'HTTP/1.1 200 OK\r\n';
const TIDY = `${OK}Content-Length: 2\r\n\r\nok`;
const TRICKLE_MS = 50;
/** The rest of a response may take a second; a busy machine takes longer. */
const SOON_MS = 4_000;
const TIMEOUT_MS = 20_000;

/** Sends `start` and then `bytes` again and again. */
const forever =
  (start: string, bytes: string, everyMs: number) =>
  (socket: Socket): void => {
    socket.write(start);
    const timer = setInterval(() => socket.write(bytes), everyMs);
    socket.once('close', () => clearInterval(timer));
  };

const opened: OpenReceiver[] = [];
afterEach(async () => {
  for (const { stop } of opened.splice(0)) await stop();
});
const given = async (...args: Parameters<typeof openReceiver>): Promise<OpenReceiver> => {
  const receiver = await openReceiver(...args);
  opened.push(receiver);
  return receiver;
};

describe('a slow response', () => {
  it.each([
    ['a body that trickles', forever(`${OK}Content-Length: 100000\r\n\r\n`, 'x', TRICKLE_MS)],
    ['chunks that trickle', forever(`${OK}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n', TRICKLE_MS)],
    ['headers that trickle', forever(OK, 'X: y\r\n', TRICKLE_MS)],
    ['an endless body', forever(`${OK}\r\n`, 'x'.repeat(10_000), 1)],
    ['nothing after the status line', send(OK)],
    ['nothing after the head', send(`${OK}\r\n`)],
    ['205 without a length', send('HTTP/1.1 205 Reset Content\r\n\r\n')],
  ])('with %s is a success soon, and its connection is closed', async (_name, respond) => {
    const { receiver, deliver } = await given(oneByOne(respond, send(TIDY)), { timeoutMs: TIMEOUT_MS });
    const startedMs = Date.now();
    expect(await deliver()).toMatchObject({ kind: 'answered', status: expect.any(Number) as number });
    expect(Date.now() - startedMs).toBeLessThan(SOON_MS);
    await eventually(() => expect(receiver.closed).toBe(1));
    expect(await deliver()).toMatchObject({ status: 200, text: 'ok' });
    expect([receiver.requests, receiver.connections]).toEqual([2, 2]);
  });

  it('that is done within a second is read to its end, and its connection is reused', async () => {
    const { receiver, deliver } = await given(send('HTTP/1.1 5', '00 Oh\r\nContent-Length: 6\r\n\r\nbro', 'ken'));
    expect(await deliver()).toMatchObject({ status: 500, text: 'broken' });
    expect(await deliver()).toMatchObject({ status: 500, text: 'broken' });
    expect([receiver.requests, receiver.connections]).toEqual([2, 1]);
  });

  it.each([
    ['nothing', send()],
    ['only interim responses', forever('', 'HTTP/1.1 102 Processing\r\n\r\n', TRICKLE_MS)],
    ['half a status line', send('HTTP/1.1 20')],
  ])('of which %s arrives fails with TIMEOUT', async (_name, respond) => {
    const { receiver, deliver } = await given(respond, { timeoutMs: 300 });
    const message = 'no response within 300 ms';
    expect(await deliver()).toEqual({ kind: 'failed', reason: 'TIMEOUT', message });
    await eventually(() => expect(receiver.closed).toBe(1));
    expect(receiver.requests).toBe(1);
  });
});

describe('an early response', () => {
  const LARGE = 'x'.repeat(8_000_000);

  it.each([
    [200, 'closed', END],
    [413, 'closed', END],
    [413, 'reset', RESET],
    [429, 'reset', RESET],
  ])('%i to a request that is still being sent counts, with the connection %s', async (status, _how, step) => {
    const head = `HTTP/1.1 ${status} Early\r\nConnection: close\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nok`;
    const { receiver, deliver } = await given(send(head, step), { isEarly: true });
    expect(await deliver(LARGE)).toEqual({ kind: 'answered', status, text: 'ok', retryAfterMs: 7_000 });
    expect(receiver.requests).toBe(1);
  });

  it('to a request that is never read counts, and the connection is not reused', async () => {
    const { receiver, deliver } = await given(send(TIDY), { isEarly: true });
    expect(await deliver(LARGE)).toMatchObject({ kind: 'answered', status: 200 });
    expect(await deliver(LARGE)).toMatchObject({ kind: 'answered', status: 200 });
    expect([receiver.requests, receiver.connections]).toEqual([2, 2]);
  });
});

describe('a response over TLS', () => {
  const host = 'receiver.example.com';
  const { pem, privateKey } = makeCertificate({ host });
  const tls = { cert: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
  const before = getCACertificates('default');
  beforeAll(() => setDefaultCACertificates([...before, pem]));
  afterAll(() => setDefaultCACertificates(before));

  it('counts after an interim response, and the connection is reused', async () => {
    const { receiver, deliver } = await given(send('HTTP/1.1 100 Continue\r\n\r\n', TIDY), { tls, host });
    expect(await deliver()).toMatchObject({ status: 200, text: 'ok' });
    expect(await deliver()).toMatchObject({ status: 200, text: 'ok' });
    expect([receiver.requests, receiver.connections]).toEqual([2, 1]);
  });

  it.each([
    ['after the body', `${OK}\r\nok`],
    ['in the body', `${OK}Content-Length: 20\r\n\r\nok`],
    ['in the head', `${OK}Content-Len`],
  ])('counts when the connection ends without close_notify %s', async (_where, text) => {
    const cut = (socket: Socket): void => {
      // The TCP connection under the TLS session ends by itself.
      socket.write(text, () => (socket as TLSSocket & { _parent: Socket | null })._parent?.destroy());
    };
    const { receiver, deliver } = await given(cut, { tls, host });
    expect(await deliver()).toMatchObject({ kind: 'answered', status: 200 });
    expect(receiver.requests).toBe(1);
  });
});
