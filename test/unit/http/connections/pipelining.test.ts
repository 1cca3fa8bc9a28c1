import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_UNDER_WAY } from '../../../../src/http/connections/pipelining';
import { eventually } from '../../../support/eventually';
import { startHttpServer, type HttpServer } from '../../../support/http-server';

const LARGE = Buffer.alloc(1_048_576, 'x');
let underWay = 0;
let most = 0;
let started = 0;
/** Apart, because requests of clients that went away may still start during the next test. */
let startedLarge = 0;
let finish: (() => void)[] = [];

@Controller()
class Endpoints {
  @Get('held') async held(): Promise<string> {
    started++;
    most = Math.max(most, ++underWay);
    await new Promise<void>((resolve) => finish.push(resolve));
    underWay--;
    return 'ok';
  }

  @Get('large') large(@Res() reply: FastifyReply): void {
    startedLarge++;
    void reply.type('text/plain').send(Buffer.from(LARGE)); // of its own, so that unread responses are seen in memory
  }

  @Post('echo') echo(@Req() request: FastifyRequest): unknown {
    started++;
    return request.body;
  }
}

@Module({ controllers: [Endpoints] })
class EndpointsModule {}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (n: number): string => {
  const body = JSON.stringify({ n });
  const head = ['POST /echo HTTP/1.1', 'Host: a', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
};

describe('pipelined requests', () => {
  let server: HttpServer;
  let client: Socket;
  beforeAll(async () => (server = await startHttpServer(EndpointsModule)));
  afterAll(() => server.close());
  beforeEach(async () => {
    [underWay, most, started, startedLarge, finish] = [0, 0, 0, 0, []];
    client = await server.connect();
  });
  afterEach(() => {
    client.destroy();
    finish.forEach((done) => done());
  });

  const answersOf = (socket: Socket): (() => string) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    return () => text;
  };
  const count = (text: string, part: string | RegExp): number => text.split(part).length - 1;

  it(`run ${MAX_UNDER_WAY} at a time, and the others after them`, async () => {
    const answers = answersOf(client);
    client.write(get('/held').repeat(100));
    await eventually(() => expect(started).toBe(MAX_UNDER_WAY));
    await sleep(50);
    expect(started).toBe(MAX_UNDER_WAY);
    const timer = setInterval(() => finish.splice(0).forEach((done) => done()), 1);
    await eventually(() => expect(count(answers(), 'HTTP/1.1 200 OK')).toBe(100)).finally(() => clearInterval(timer));
    expect(most).toBe(MAX_UNDER_WAY);
  });

  it('are answered in their order, in one write or torn, with bodies', async () => {
    const answers = answersOf(client);
    const all = Array.from({ length: 2_000 }, (_, n) => post(n)).join('');
    for (let at = 0; at < all.length; at += 7_919) {
      client.write(all.slice(at, at + 7_919));
      if (at % 5 === 0) await sleep(1);
    }
    await eventually(() => expect(count(answers(), 'HTTP/1.1 201')).toBe(2_000));
    const numbers = [...answers().matchAll(/\{"n":(\d+)\}/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
  });

  it('do not start while a response of the connection waits to be read', async () => {
    client.pause();
    client.write(get('/large').repeat(100));
    await eventually(() => expect(startedLarge).toBeGreaterThan(0));
    await sleep(300);
    const unread = startedLarge;
    expect(unread).toBeLessThan(MAX_UNDER_WAY);
    const answers = answersOf(client);
    client.resume();
    await eventually(() => expect(startedLarge).toBe(100), 60_000);
    await eventually(() => expect(count(answers(), 'HTTP/1.1 200 OK')).toBe(100), 60_000);
  });

  it('cost a bounded amount of memory: 30 clients with 1000 requests each, who read nothing', async () => {
    const before = process.memoryUsage();
    const clients = await Promise.all(Array.from({ length: 30 }, () => server.connect()));
    for (const socket of clients) socket.pause().write(get('/large').repeat(1_000));
    await eventually(() => expect(startedLarge).toBeGreaterThanOrEqual(30));
    await sleep(500);
    const { heapUsed, external } = process.memoryUsage();
    const grownBytes = heapUsed + external - before.heapUsed - before.external;
    clients.forEach((socket) => socket.destroy());
    expect(startedLarge).toBeLessThan(30 * MAX_UNDER_WAY);
    expect(grownBytes).toBeLessThan(300_000_000);
  });

  it('that wait are forgotten when the client goes away', async () => {
    const ALL = 200;
    client.write(get('/held').repeat(ALL));
    await eventually(() => expect(started).toBe(MAX_UNDER_WAY));
    client.destroy();
    // The server learns of it by its first response that cannot be sent. Until then some more may start.
    const timer = setInterval(() => finish.splice(0).forEach((done) => done()), 1);
    await sleep(500);
    await eventually(() => expect(underWay).toBe(0)).finally(() => clearInterval(timer));
    expect(started).toBeLessThan(ALL);
  });

  it('after one that closes the connection do not start', async () => {
    const answers = answersOf(client);
    client.write(`GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get('/large').repeat(5)}`);
    await once(client, 'close');
    expect(count(answers(), 'HTTP/1.1 200 OK')).toBe(1);
  });

  it('leave the connection open for later requests', async () => {
    const answers = answersOf(client);
    client.write(get('/large').repeat(20));
    await eventually(() => expect(count(answers(), 'HTTP/1.1 200 OK')).toBe(20));
    client.write(get('/large'));
    await eventually(() => expect(count(answers(), 'HTTP/1.1 200 OK')).toBe(21));
  });
});
