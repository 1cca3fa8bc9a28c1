import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';

const SCRIPT = path.resolve(__dirname, '../../../docker/healthcheck.sh');

async function check(port: number): Promise<{ code: unknown; output: string }> {
  const child = spawn('bash', [SCRIPT], { env: { PATH: process.env.PATH, PORT: String(port) } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, output };
}

async function checkServer(listener: RequestListener): Promise<{ code: unknown; output: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await check((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the health check of the image', () => {
  it.each([
    [200, 0],
    [503, 1],
  ])('ends by the status of /ready: %d is exit code %d, and prints the response', async (status, code) => {
    const asked: string[] = [];
    const answer = await checkServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(status).end('{"checks":{"postgres":"up"}}');
    });
    expect(asked).toEqual(['GET /ready']);
    expect(answer).toEqual({ code, output: expect.stringContaining('{"checks":{"postgres":"up"}}') as string });
  });

  it('fails when nothing listens, and when the response does not come', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    expect(await check(port)).toMatchObject({ code: 1 });
    expect(await checkServer(() => undefined)).toEqual({ code: 1, output: 'no response within 4 s\n' });
  });
});
