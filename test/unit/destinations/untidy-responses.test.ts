import { eventually } from '../../support/eventually';
import { openReceiver } from '../../support/receivers/open-receiver';
import { END, oneByOne, RESET, send, type Respond, type Step } from '../../support/receivers/raw-receiver';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const TIDY = `${OK}Content-Length: 2\r\n\r\nok`;
const SECOND = 'HTTP/1.1 204 No Content\r\n\r\n';
const WITH = (header: string): string => `${OK}${header}\r\nContent-Length: 2\r\n\r\nok`;
const FORGED = 'HTTP/1.1 503 Forged\r\nContent-Length: 0\r\n\r\n';

const REUSED = 1;
const CLOSED = 2;

/** Name, number of connections that two deliveries take, and what the receiver sends as its first response. */
const SUCCESSES: [string, number, ...Step[]][] = [
  ['with a length', REUSED, TIDY],
  ['in chunks', REUSED, `${CHUNKED}2\r\nok\r\n0\r\n\r\n`],
  ['after 100', REUSED, 'HTTP/1.1 100 Continue\r\n\r\n', TIDY],
  ['after 100 without a reason, in one piece', REUSED, `HTTP/1.1 100\r\n\r\n${TIDY}`],
  ['after 102', REUSED, 'HTTP/1.1 102 Processing\r\n\r\n', TIDY],
  ['after 103', REUSED, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', TIDY],
  [
    'after several interim responses, torn',
    REUSED,
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\nA: b\r\n\r\nHTT',
    'P/1.1 103 E\r\n',
    '\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 2',
    '00 OK\r\nContent-Length: 2\r\n\r\nok',
  ],
  ['after an interim response that nobody knows', REUSED, 'HTTP/1.1 199 Odd\r\n\r\n', TIDY],
  ['after 100 and ended by close', CLOSED, 'HTTP/1.1 100 Continue\r\n\r\n', `${OK}\r\nok`, END],
  ['of HTTP/1.0, ended by close', CLOSED, 'HTTP/1.0 200 OK\r\n\r\nok', END],
  ['without a length, ended by close', CLOSED, `${OK}\r\n`, 'ok', END],
  ['shorter than its length', CLOSED, `${OK}Content-Length: 20\r\n\r\nok`, END],
  ['longer than its length', CLOSED, `${OK}Content-Length: 2\r\n\r\nok and more`],
  ['with a broken chunk size', CLOSED, `${CHUNKED}zz\r\nok\r\n0\r\n\r\n`],
  ['with a chunk that is longer than its size', CLOSED, `${CHUNKED}2\r\nokay\r\n0\r\n\r\n`],
  ['without the last chunk', CLOSED, `${CHUNKED}2\r\nok\r\n`, END],
  ['with trailers', REUSED, `${CHUNKED}2\r\nok\r\n0\r\nX-Sum: y\r\n\r\n`],
  ['with chunk extensions', REUSED, `${CHUNKED}2;a=b\r\nok\r\n0\r\n\r\n`],
  ['with a length and chunks', CLOSED, WITH('Transfer-Encoding: chunked').replace(/ok$/, '2\r\nok\r\n0\r\n\r\n')],
  ['with a length, and chunked only in name', CLOSED, WITH('Transfer-Encoding: chunked')],
  ['with a transfer coding that nobody knows', CLOSED, `${OK}Transfer-Encoding: gzip, odd\r\n\r\nok`, END],
  ['with two lengths', CLOSED, WITH('Content-Length: 3')],
  ['with the same length twice', CLOSED, WITH('Content-Length: 2')],
  ['with a length that is no number', CLOSED, `${OK}Content-Length: two\r\n\r\nok`, END],
  ['with a negative length', CLOSED, `${OK}Content-Length: -1\r\n\r\nok`, END],
  ['204 with a body', CLOSED, 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok'],
  ['205', REUSED, 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
  ['with a folded header', CLOSED, WITH('X-Long: first\r\n  second')],
  ['with bare line feeds', CLOSED, 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['with a header without a colon', CLOSED, WITH('Nonsense')],
  ['with a space in a header name', CLOSED, WITH('X Y: z')],
  ['with a space before a colon', CLOSED, WITH('X-Y : z')],
  ['with an empty header name', CLOSED, WITH(': z')],
  ['with 8-bit bytes in a header name', CLOSED, WITH('X-\xe9: z')],
  ['with 8-bit bytes in a header value', REUSED, WITH('X: \xe9\xff')],
  ['with control characters in a header value', CLOSED, WITH('X: a\x00\x01b')],
  ['without a reason phrase', REUSED, 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'],
  ['with 8-bit bytes in the reason phrase', REUSED, 'HTTP/1.1 200 \xd6K\xff\r\nContent-Length: 2\r\n\r\nok'],
  ['of a version that nobody knows', CLOSED, 'HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['after empty lines', REUSED, `\r\n\r\n${TIDY}`],
  ['with an upgrade that nobody asked for', REUSED, WITH('Upgrade: h2\r\nConnection: upgrade')],
  ['closed by name, with a reset after the head', CLOSED, `${OK}Connection: close\r\n\r\n`, RESET],
  ['reset after the head', CLOSED, `${OK}Content-Length: 20\r\n\r\n`, RESET],
  ['reset in the middle of a header', CLOSED, `${OK}Content-Len`, RESET],
  ['ended after the status line', CLOSED, OK, END],
  ['reset after the status line', CLOSED, OK, RESET],
  ['with 40 kB of headers', CLOSED, `${OK}${`X-Long: ${'a'.repeat(1_000)}\r\n`.repeat(40)}Content-Length: 2\r\n\r\nok`],
  ['with a body of more than 64 kB without end', CLOSED, `${OK}\r\n${'x'.repeat(70_000)}`],
  ['with garbage after it', CLOSED, `${TIDY}garbage`],
  ['with another response after it', CLOSED, `${TIDY}${FORGED}`],
  ['with the beginning of another response after it', CLOSED, `${TIDY}HTTP/1.1 5`],
  ['with an interim response after it', CLOSED, `${TIDY}HTTP/1.1 100 Continue\r\n\r\n`],
];

/** Status, name and response. */
const OTHERS: [number, string, ...Step[]][] = [
  [503, 'with a broken body', 'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  [503, 'with a bad header', 'HTTP/1.1 503 Busy\r\nNonsense\r\n\r\n'],
  [500, 'reset in the body', 'HTTP/1.1 500 Oh\r\nContent-Length: 20\r\n\r\nhalf', RESET],
  [410, 'with two lengths', 'HTTP/1.1 410 Gone\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nno'],
  [302, 'with bare line feeds', 'HTTP/1.1 302 Found\nLocation: http://127.0.0.1:1/\n\n'],
  [304, 'as it should be', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
  [101, 'that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
];

const FAILURES: [string, ...Step[]][] = [
  ['closes at once', END],
  ['resets at once', RESET],
  ['ends within the status line', 'HTTP/1.1 200', END],
  ['ends after interim responses', 'HTTP/1.1 100 Continue\r\n\r\n', END],
];

/** What is no HTTP response, and a part of what the operator reads about it. */
const NONSENSE: [string, string, ...Step[]][] = [
  ['sends the status 000', 'the status 000', 'HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok'],
  ['sends the status 000 alone', 'the status 000', 'HTTP/1.1 000\r\n\r\n'],
  ['sends the status 099', 'the status 099', 'HTTP/1.0 099 Odd\r\n', '\r\n'],
  ['sends a status of two digits', 'not valid HTTP', 'HTTP/1.1 20\r\nContent-Length: 0\r\n\r\n'],
  ['sends a status of four digits', 'not valid HTTP', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['sends a negative status', 'not valid HTTP', 'HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['sends a status in words', 'not valid HTTP', 'HTTP/1.1 two OK\r\n\r\n'],
  ['speaks another protocol', 'not valid HTTP', 'SSH-2.0-Other\r\n'],
  ['speaks another protocol, without a line end', 'not valid HTTP', 'ICY 200 OK'],
  ['sends 100 without end', 'interim', ...Array<Step>(20).fill('HTTP/1.1 100 Continue\r\n\r\n'.repeat(400))],
  ['sends 102 without end', 'interim', ...Array<Step>(20).fill('HTTP/1.1 102 Processing\r\n\r\n'.repeat(400))],
];

const statusOf = (steps: readonly Step[]): number =>
  Number(/ (2\d\d)/.exec(steps.join('').replaceAll(/ 1\d\d/g, ''))?.[1]);

describe('a response of a destination', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  const given = async (respond: Respond) => {
    const opened = await openReceiver(respond);
    stops.push(opened.stop);
    return opened;
  };

  it.each(SUCCESSES)('%s is a success, and the next delivery gets its own', async (_name, connections, ...steps) => {
    const { receiver, deliver } = await given(oneByOne(send(...steps), send(SECOND)));
    expect(await deliver()).toMatchObject({ kind: 'answered', status: statusOf(steps) });
    expect(receiver.requests).toBe(1);
    if (connections > 1) await eventually(() => expect(receiver.closed).toBe(1));
    expect(await deliver()).toEqual({ kind: 'answered', status: 204, text: '' });
    expect([receiver.requests, receiver.connections]).toEqual([2, connections]);
  });

  it('that comes without a request closes the connection', async () => {
    const { receiver, deliver } = await given(oneByOne(send(TIDY, FORGED), send(SECOND)));
    expect(await deliver()).toMatchObject({ status: 200, text: 'ok' });
    await eventually(() => expect(receiver.closed).toBe(1));
    expect(await deliver()).toMatchObject({ status: 204 });
    expect([receiver.requests, receiver.connections]).toEqual([2, 2]);
  });

  it.each(OTHERS)('with %i, %s, counts by its status', async (status, _name, ...steps) => {
    const { receiver, deliver } = await given(send(...steps));
    expect(await deliver()).toMatchObject({ kind: 'answered', status });
    expect(receiver.requests).toBe(1);
  });

  it('keeps Retry-After and the beginning of its body, whatever else is wrong', async () => {
    const head = 'HTTP/1.1 429 Slow\r\nNonsense\r\nretry-after:  7 \r\n\r\n';
    const { deliver } = await given(oneByOne(send(`${head}not now`), send(`${head}${'x'.repeat(5_000)}`)));
    expect(await deliver()).toEqual({ kind: 'answered', status: 429, text: 'not now', retryAfterMs: 7_000 });
    expect(await deliver()).toMatchObject({ text: 'x'.repeat(1_024) });
  });

  it.each(FAILURES)('is missing when the receiver %s', async (_name, ...steps) => {
    const { receiver, deliver } = await given(send(...steps));
    expect(await deliver()).toMatchObject({ kind: 'failed', reason: 'CONNECTION_FAILED' });
    expect(receiver.requests).toBe(1);
  });

  it.each(NONSENSE)('is none of HTTP when the receiver %s', async (_name, part, ...steps) => {
    const { receiver, deliver } = await given(oneByOne(send(...steps), send(SECOND)));
    const answer = await deliver();
    expect(answer).toMatchObject({ kind: 'failed', reason: 'INVALID_RESPONSE' });
    expect(answer.kind === 'failed' && answer.message).toContain(part);
    expect(answer.kind === 'failed' && answer.message).not.toMatch(/ASSERTION|==/);
    await eventually(() => expect(receiver.closed).toBe(1));
    expect(await deliver()).toMatchObject({ kind: 'answered', status: 204 });
  });
});
