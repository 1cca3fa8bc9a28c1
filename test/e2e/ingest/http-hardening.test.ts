import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { startTestApp } from '../../support/app';
import { createTestDatabase } from '../../support/database';
import { call, rawExchange, type ProblemAnswer } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';

describe('the HTTP server', () => {
  const running = useApp({ REQUEST_STALL_TIMEOUT_MS: '300' });

  const BODY = JSON.stringify(eventBody());
  const post = (...headers: string[]): string =>
    [
      'POST /v1/events HTTP/1.1',
      ...headers,
      `Content-Length: ${Buffer.byteLength(BODY)}`,
      'Connection: close',
      '',
      BODY,
    ].join('\r\n');
  const TYPE = 'Content-Type: application/json';
  const TENANT = 'X-Tenant-Id: acme';
  const problemIn = (answer: string): ProblemAnswer =>
    JSON.parse(answer.split('\r\n\r\n')[1] as string) as ProblemAnswer;

  it('accepts the request when no header is repeated', async () => {
    expect(await rawExchange(running.url, post('Host: localhost', TENANT, TYPE))).toMatch(/^HTTP\/1\.1 202 /);
  });

  it.each([
    ['two Host headers', ['Host: localhost', 'Host: 127.0.0.1', TENANT, TYPE], 'invalid-request'],
    ['the same Host twice', ['Host: localhost', 'host: localhost', TENANT, TYPE], 'invalid-request'],
    ['no Host', [TENANT, TYPE], 'invalid-request'],
    ['two Content-Types', ['Host: localhost', TENANT, TYPE, TYPE], 'invalid-request'],
    ['two tenants', ['Host: localhost', TENANT, 'X-Tenant-Id: other', TYPE], 'tenant-invalid'],
    ['the same tenant twice', ['Host: localhost', TENANT, TENANT, TYPE], 'tenant-invalid'],
    ['two lengths', ['Host: localhost', TENANT, TYPE, 'Content-Length: 1'], 'invalid-request'],
    ['a length and chunks', ['Host: localhost', TENANT, TYPE, 'Transfer-Encoding: chunked'], 'invalid-request'],
    ['a control character in a header', ['Host: localhost', TENANT, TYPE, 'X-Odd: a\u0000b'], 'invalid-request'],
    ['a folded header', ['Host: localhost', TENANT, TYPE, 'X-Odd: a\r\n\tb'], 'invalid-request'],
  ])('rejects %s with 400', async (_what, headers, code) => {
    const answer = await rawExchange(running.url, post(...headers));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/\r\nContent-Type: application\/problem\+json/i);
    expect(problemIn(answer)).toMatchObject({ code, status: 400, retryable: false });
  });

  it('rejects headers over 16 KiB with 431 and keeps serving', async () => {
    const answer = await rawExchange(
      running.url,
      post('Host: localhost', TENANT, TYPE, `X-Long: ${'a'.repeat(17_000)}`),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(problemIn(answer)).toMatchObject({ code: 'headers-too-large', status: 431, retryable: false });
    expect((await call(`${running.url}/health`)).status).toBe(200);
  });

  it('answers 400 to input that is not HTTP', async () => {
    expect(await rawExchange(running.url, '\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('ends a body that trickles in forever, although it never stalls', async () => {
    const outgoing = request(`${running.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tenant-id': 'acme', 'content-length': 10_000 },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      outgoing.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
    const drip = setInterval(() => outgoing.write(' '), 50);
    try {
      expect(await answered).toBe(408);
    } finally {
      clearInterval(drip);
      outgoing.destroy();
    }
  });

  it('does not reveal its software, and forbids browsers to sniff types or cache', async () => {
    const { headers } = await call(`${running.url}/health`);
    expect(headers.server).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    const docs = await call(`${running.url}/docs`);
    expect(docs.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('limits the time for headers and for idle connections', () => {
    expect(running.app.getHttpServer()).toMatchObject({ headersTimeout: 15_000, keepAliveTimeout: 75_000 });
  });

  it('serves a request while another client never finishes its headers', async () => {
    const { hostname, port } = new URL(running.url);
    const slow = connect(Number(port), hostname, () => slow.write('GET /health HTTP/1.1\r\nHost: localhost\r\n'));
    slow.on('error', () => undefined);
    const agent = new Agent({ keepAlive: true });
    try {
      expect((await call(`${running.url}/health`, { agent })).status).toBe(200);
    } finally {
      agent.destroy();
      slow.destroy();
    }
  });
});

describe('MAX_CONNECTIONS', () => {
  it('closes connections beyond the limit, and accepts new ones when others have closed', async () => {
    const database = await createTestDatabase();
    const running = await startTestApp(database.url, { MAX_CONNECTIONS: '2' });
    const { hostname, port } = new URL(running.url);
    const held = [1, 2].map(() => connect(Number(port), hostname));
    try {
      await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      await expect(call(`${running.url}/health`)).rejects.toMatchObject({ code: 'ECONNRESET' });
      await Promise.all(
        held.map((socket) => new Promise((resolve) => socket.once('close', resolve).end(() => socket.destroy()))),
      );
      await eventually(async () => expect((await call(`${running.url}/health`)).status).toBe(200));
    } finally {
      for (const socket of held) socket.destroy();
      await running.close();
      await database.drop();
    }
  });
});
