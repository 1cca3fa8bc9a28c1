import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
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

  it('keeps it while it reads slowly', async () => {
    const before = server.unread();
    const client = await server.connect();
    client.write(get('/large'));
    client.on('data', () => {
      client.pause();
      setTimeout(() => client.resume(), 10);
    });
    // The system takes more bytes of a response only when a third of its buffer is free: about a megabyte at a time.
    await eventually(() => expect(client.bytesRead).toBeGreaterThan(LARGE.length));
    expect(server.unread()).toBe(before);
    client.destroy();
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
