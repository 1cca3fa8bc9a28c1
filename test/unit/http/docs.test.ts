import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { serveApiDocs } from '../../../src/http/docs/serve-docs';
import { NoEndpoints, startHttpServer, type HttpServer } from '../../support/http-server';

/** What strangers try, and what a static server may stumble over. */
const TRIED = [
  ...['..', '../', '../package.json', '..%2f..%2fetc/passwd', '%2e%2e/%2e%2e/etc/passwd', '....//', '..;/', '..%5c'],
  ...['.', './', './.', '.env', '.git/config', '.git', '%2e', '%2E%2E', '%252e%252e%252f', '..%00', '%00', '%00.png'],
  ...['a%00b', 'swagger-ui.css%00', 'swagger-ui.css/', 'swagger-ui.css/..', '/', '//', '///etc/passwd', '/etc/passwd'],
  ...['\\', '\\..\\..', '%5c..%5c', '%', '%%', '%zz', '%c0%ae%c0%ae', '%ff', '%e0%80%80', '%u002e', '~', '~root'],
  ...[
    'package.json',
    'index.js',
    'absolute-path.js',
    'README.md',
    'swagger-ui.js.map',
    'node_modules',
    'node_modules/',
  ],
  ...[
    'CON',
    'nul',
    'aux.txt',
    '*',
    '?',
    '?a=%',
    '#',
    ':',
    ':x',
    '{}',
    '[]',
    '<>',
    '|',
    '"',
    "'",
    '`',
    '$',
    '&',
    ';',
    ',',
  ],
  ...['a'.repeat(500), 'a'.repeat(5_000), `${'a/'.repeat(2_000)}`, '%41'.repeat(900), `${'../'.repeat(900)}etc/passwd`],
  ...['swagger-ui-init.js/', 'docs/swagger-ui-init.js', 'LICENSE', 'INDEX.HTML', 'index.html/', 'index.htm', 'C:\\a'],
];
const DOCUMENTS = [
  ...['/docs', '/docs/', '/docs/index.html', '/docs-json', '/docs-yaml', '/docs/swagger-ui-init.js'],
  ...['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui-standalone-preset.js'],
  ...['/docs/favicon-16x16.png', '/docs/favicon-32x32.png'],
];

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

describe('the documents under /docs', () => {
  let server: HttpServer;
  const sent: unknown[] = [];
  beforeAll(async () => {
    server = await startHttpServer(NoEndpoints, {}, (app) => {
      serveApiDocs(app);
      const instance: FastifyInstance = app.getHttpAdapter().getInstance();
      instance.addHook('onSend', (_request, _reply, payload, done) => {
        sent.push(payload);
        done(null, payload);
      });
    });
  });
  afterAll(() => server.close());

  /** Sends the path as it is: a URL would be normalised. */
  function get(path: string, { method = 'GET', headers = {} } = {}): Promise<Answer> {
    const { port } = server.app.getHttpServer().address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => {
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() });
          });
      });
      outgoing.on('error', reject).end();
    });
  }

  it.each(DOCUMENTS)('has %s', async (path) => {
    const { status, text } = await get(path);
    expect(status).toBe(200);
    expect(text.length).toBeGreaterThan(100);
  });

  it('answers 404 to whatever else is asked for', async () => {
    expect(TRIED.length).toBeGreaterThanOrEqual(64);
    for (const tried of TRIED) {
      const path = `/docs/${tried}`;
      const { status, text } = await get(path);
      const isDocument = ['', '?', '#'].includes(tried.charAt(0)) && tried.length <= 4;
      expect([path.slice(0, 80), status]).toEqual([path.slice(0, 80), isDocument ? 200 : 404]);
      if (!isDocument) expect(JSON.parse(text)).toMatchObject({ code: 'route-not-found', retryable: false });
    }
  });

  it('never answers 5xx to a path of any shape', async () => {
    const characters = [
      '/',
      '.',
      '..',
      '%',
      '%00',
      '%2f',
      '%2e',
      '\\',
      'a',
      'docs',
      '?',
      ';',
      '\u00e9',
      '~',
      'swagger-ui',
    ];
    for (let i = 0; i < 2_000; i++) {
      const path = Array.from(
        { length: 1 + (i % 9) },
        (_, n) => characters[(i * 7 + n * n * 31 + Math.floor(i / 15)) % characters.length],
      ).join('');
      const { status } = await get(`/docs${i % 2 ? '/' : ''}${encodeURI(path).replace(/%25/g, '%')}`);
      expect(status < 500 ? status : `${status} for ${path}`).toBe(status);
    }
  });

  it('are not sent again to a browser that has them', async () => {
    const first = await get('/docs/swagger-ui.css');
    const headers = { 'if-none-match': String(first.headers.etag) };
    expect(await get('/docs/swagger-ui.css', { headers })).toMatchObject({ status: 304, text: '' });
    expect(await get('/docs/swagger-ui.css', { headers: { 'if-none-match': '"other"' } })).toMatchObject({
      status: 200,
    });
  });

  it('have their headers for HEAD', async () => {
    expect(await get('/docs-json', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  it('are made once: all responses share one buffer', async () => {
    for (const path of ['/docs-json', '/docs/swagger-ui-bundle.js']) {
      sent.length = 0;
      await Promise.all([get(path), get(path)]);
      expect(sent[0]).toBeInstanceOf(Buffer);
      expect(sent[1]).toBe(sent[0]);
    }
  });
});
