import { once } from 'node:events';
import { NoEndpoints, startHttpServer, type HttpServer } from '../../support/http-server';

/** The headers were accepted, apart from the missing media type, which is looked at later. */
const ACCEPTED = 415;

describe('the headers of a request', () => {
  let server: HttpServer;
  beforeAll(async () => (server = await startHttpServer(NoEndpoints)));
  afterAll(() => server.close());

  async function statusOf(...headers: string[]): Promise<number> {
    const client = await server.connect();
    client.write(['POST /nothing HTTP/1.1', ...headers, 'Connection: close', '', '0\r\n\r\n'].join('\r\n'));
    const [answer] = (await once(client, 'data')) as [Buffer];
    client.destroy();
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(answer))?.[1]);
  }

  it.each([
    'a',
    'events.example.com',
    'events.example.com:3000',
    'my_host-1:80',
    '127.0.0.1:3000',
    '[::1]',
    '[2001:db8::1]:3000',
    '',
  ])('may name the host %j', async (host) => {
    expect(await statusOf(`Host: ${host}`, 'Content-Length: 5')).toBe(ACCEPTED);
  });

  it.each([
    'a, b',
    'a b',
    'a/b@c',
    'a@b',
    'a?b',
    'a#b',
    'http://a',
    'a:b',
    'a:1:2',
    '[::1',
    '::1',
    'a\\b',
    'a"b',
    'a<b>',
    '\u00e9',
  ])('may not name the host %j', async (host) => {
    expect(await statusOf(`Host: ${host}`, 'Content-Length: 5')).toBe(400);
  });

  it.each(['chunked', 'Chunked'])('may name the transfer coding %s', async (coding) => {
    expect(await statusOf('Host: a', `Transfer-Encoding: ${coding}`)).toBe(ACCEPTED);
  });

  it.each(['gzip, chunked', 'deflate, chunked', 'identity, chunked', 'chunked, chunked', 'x, chunked'])(
    'may not name the transfer codings %s',
    async (coding) => {
      expect(await statusOf('Host: a', `Transfer-Encoding: ${coding}`)).toBe(400);
    },
  );
});
