import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { endUnreadResponses } from '../../../../src/http/connections/unread-responses';
import { eventually } from '../../../support/eventually';
import { startHttpServer, type HttpServer } from '../../../support/http-server';

const LARGE = Buffer.alloc(16_777_216, 'x');

@Controller()
class Endpoints {
  @Get('large') large(@Res() reply: FastifyReply): void {
    void reply.type('text/plain').send(LARGE);
  }

  @Get('late') async late(): Promise<string> {
    await sleep(2_500);
    return 'late';
  }
}

@Module({ controllers: [Endpoints] })
class EndpointsModule {}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('a client that does not read its response', () => {
  let server: HttpServer;
  beforeAll(async () => (server = await startHttpServer(EndpointsModule, { RESPONSE_STALL_TIMEOUT_MS: '1500' })));
  afterAll(() => server.close());

  it('loses its connection when nothing was read for RESPONSE_STALL_TIMEOUT_MS, and is counted', async () => {
    const client = await server.connect();
    client.pause().write(get('/large'));
    await eventually(() => expect(server.unread()).toBe(1), 20_000);
    client.resume();
    await once(client, 'close');
    expect(client.bytesRead).toBeLessThan(LARGE.length);
  });

  it('loses it also when it goes on sending', async () => {
    const before = server.unread();
    const client = await server.connect();
    client.pause().write(`${get('/large')}GET /`);
    const sending = setInterval(() => client.write('a'), 50);
    await eventually(() => expect(server.unread()).toBe(before + 1), 20_000).finally(() => clearInterval(sending));
    client.destroy();
  });

  it('keeps it while it uploads, and loses it when the upload stops', async () => {
    let unread = 0;
    const uploads = createServer((request, response) => response.end(request.resume() && LARGE));
    endUnreadResponses(uploads, 1_500, () => unread++);
    await once(uploads.listen(0, '127.0.0.1'), 'listening');
    const client = connect((uploads.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    client.pause().write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n');
    const sending = setInterval(() => client.write(Buffer.alloc(32_768)), 200);
    await sleep(5_000);
    clearInterval(sending);
    expect(unread).toBe(0);
    await eventually(() => expect(unread).toBe(1), 20_000);
    client.destroy();
    uploads.close();
  });

  it('keeps it while it reads slowly, for longer than the deadline', async () => {
    let unread = 0;
    // The system takes about a megabyte of a response at a time: the deadline leaves a busy machine time for it.
    const server = createServer((_request, response) => response.end(Buffer.alloc(2 * LARGE.length)));
    endUnreadResponses(server, 5_000, () => unread++);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    client.write(get('/'));
    client.on('data', () => {
      client.pause();
      setTimeout(() => client.resume(), 12);
    });
    await eventually(() => expect(client.bytesRead).toBeGreaterThan(2 * LARGE.length), 90_000);
    expect(unread).toBe(0);
    client.destroy();
    server.close();
  });

  it('keeps it while the response is not there yet', async () => {
    const before = server.unread();
    const client = await server.connect();
    client.write(get('/late'));
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toContain('HTTP/1.1 200 OK');
    expect(server.unread()).toBe(before);
    client.destroy();
  });
});
