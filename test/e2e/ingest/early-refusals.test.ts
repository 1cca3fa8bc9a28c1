import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { fetch, request } from 'undici';
import { ADMIN_TOKEN } from '../../support/app';
import { bodyOfRaw, call, type ProblemAnswer } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';

const TEN_MEGABYTES = 10_000_000;
const SILENT_MS = 20_000;

/** Writes a request and its whole body before it reads anything. Resolves with what it reads until the connection ends. */
function writeThenRead(url: string, head: string[], body: Buffer, chunked = false): Promise<string> {
  const { hostname, port } = new URL(url);
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const framed = chunked
    ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
    : body;
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.pause();
    socket.on('error', reject);
    socket.on('data', (data: Buffer) => (received += data.toString()));
    socket.on('close', () => resolve(received));
    socket.setTimeout(SILENT_MS, () => socket.destroy(new Error('the server neither reads nor answers')));
    socket.write([...head, 'Host: localhost', length, '', ''].join('\r\n'));
    socket.write(framed, () => socket.resume());
  });
}

describe('a refusal before the whole body was read', () => {
  const running = useApp({ TENANT_ALLOWLIST: 'acme', STREAM_MAX_BYTES: '1000000' });

  const EVENTS = 'POST /v1/events HTTP/1.1';
  const STREAM = 'POST /v1/ingest/stream HTTP/1.1';
  const TENANT = 'X-Tenant-Id: acme';
  const JSON_BODY = 'Content-Type: application/json';
  const NDJSON = 'Content-Type: application/x-ndjson';
  const LINES = 'Accept: application/x-ndjson';
  const blanks = Buffer.alloc(TEN_MEGABYTES, ' ');
  const xml = Buffer.concat([Buffer.from('<events><broken></events>'), blanks]);

  it.each<[string, number, string, string[], Buffer]>([
    ['an event that is too large', 413, 'event-too-large', [EVENTS, TENANT, JSON_BODY], blanks],
    ['an event of an unknown type', 415, 'unsupported-media-type', [EVENTS, TENANT, 'Content-Type: x/y'], blanks],
    ['a stream without a tenant', 400, 'tenant-required', [STREAM, NDJSON], blanks],
    ['a stream of a tenant that is not allowed', 403, 'tenant-not-allowed', [STREAM, NDJSON, 'X-Tenant-Id: x'], blanks],
    ['a stream of an unknown type', 415, 'unsupported-media-type', [STREAM, TENANT, 'Content-Type: x/y'], blanks],
    [
      'a stream in an unknown encoding',
      415,
      'unsupported-content-encoding',
      [STREAM, TENANT, NDJSON, 'Content-Encoding: x'],
      blanks,
    ],
    ['a stream that is too large', 413, 'stream-too-large', [STREAM, TENANT, NDJSON], blanks],
    [
      'an encoded stream that is broken',
      400,
      'malformed-body',
      [STREAM, TENANT, NDJSON, 'Content-Encoding: gzip'],
      blanks,
    ],
    ['an XML document that is broken', 400, 'malformed-body', [STREAM, TENANT, 'Content-Type: text/xml'], xml],
    [
      'an admin request that is too large',
      413,
      'event-too-large',
      ['POST /v1/admin/replay HTTP/1.1', JSON_BODY, `X-Admin-Token: ${ADMIN_TOKEN}`],
      blanks,
    ],
  ])('reaches a client that writes everything first: %s', async (_what, status, code, head, body) => {
    for (const chunked of [false, true]) {
      const answer = await writeThenRead(running.url, head, body, chunked);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(bodyOfRaw<ProblemAnswer>(answer)).toMatchObject({ status, code });
    }
  });

  it.each(['keep-alive', 'close'])(
    'reaches such a client on a stream of result lines (Connection: %s)',
    async (kind) => {
      const head = [STREAM, TENANT, NDJSON, LINES, `Connection: ${kind}`];
      const answer = await writeThenRead(running.url, head, blanks);
      expect(bodyOfRaw<ProblemAnswer>(answer)).toMatchObject({ code: 'stream-too-large', lastCommittedRecord: 0 });
      expect(answer).toMatch(/\r\n0\r\n\r\n$/);
    },
  );

  it.each([
    ['headers that are too long', 431, `GET / HTTP/1.1\r\nX-Long: ${'x'.repeat(20_000)}`],
    ['input that is not HTTP', 400, 'hello'],
  ])('reaches such a client after %s', async (_what, status, head) => {
    const answer = await writeThenRead(running.url, [head], blanks);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('reaches fetch, undici and curl', async () => {
    const url = `${running.url}/v1/events`;
    const headers = { 'content-type': 'application/json', 'x-tenant-id': 'acme' };
    expect((await fetch(url, { method: 'POST', headers, body: blanks })).status).toBe(413);
    const answer = await request(url, { method: 'POST', headers, body: blanks });
    expect([answer.statusCode, await answer.body.json()]).toEqual([
      413,
      expect.objectContaining({ code: 'event-too-large' }),
    ]);
    const curl = promisify(execFile)('sh', [
      '-c',
      `head -c ${TEN_MEGABYTES} /dev/zero | curl -sS -H 'Expect:' -H 'Content-Type: application/json' ` +
        `-H 'X-Tenant-Id: acme' --data-binary @- -w '%{http_code}' ${url}`,
    ]);
    expect((await curl).stdout).toMatch(/"event-too-large".*413$/);
  });

  it('says that the connection closes, and closes it for a client that stops', async () => {
    const { hostname, port } = new URL(running.url);
    const startMs = performance.now();
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let received = '';
      socket.on('data', (data: Buffer) => (received += data.toString())).on('error', reject);
      socket.on('close', () => resolve(received));
      socket.write(
        [EVENTS, 'Host: localhost', TENANT, JSON_BODY, `Content-Length: ${TEN_MEGABYTES}`, '', '{'].join('\r\n'),
      );
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(performance.now() - startMs).toBeGreaterThan(1_500);
  });

  it('closes the connection of a client that never ends', async () => {
    const megabyte = Buffer.alloc(1_000_000, ' ');
    const { hostname, port } = new URL(running.url);
    let sent = 0;
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname);
      const more = (error?: Error | null): void => {
        if (error) return;
        sent += 1;
        socket.write(megabyte, more);
      };
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.write([EVENTS, 'Host: localhost', TENANT, JSON_BODY, 'Content-Length: 100000000000', '', ''].join('\r\n'));
      more();
    });
    expect(sent).toBeGreaterThan(50);
    expect(sent).toBeLessThan(100);
  });

  it('keeps the connection open when the rest of the body is short', async () => {
    const answer = await call(`${running.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'x/y', 'x-tenant-id': 'acme', connection: 'keep-alive' },
      body: 'short',
    });
    expect([answer.status, answer.headers.connection]).toEqual([415, 'keep-alive']);
  });
});
