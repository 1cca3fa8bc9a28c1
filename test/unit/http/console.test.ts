import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { serveConsole } from '../../../src/http/console/serve-console';
import { NoEndpoints, startHttpServer, type HttpServer } from '../../support/http-server';

const PAGE = '<!doctype html><title>StreamForge</title>';
const SCRIPT = 'export const a = 1;'.repeat(100);

describe('the files below /console', () => {
  let directory: string;
  let server: HttpServer;
  let url: string;
  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-console-'));
    fs.mkdirSync(path.join(directory, 'assets'));
    fs.writeFileSync(path.join(directory, 'index.html'), PAGE);
    fs.writeFileSync(path.join(directory, 'licences.md'), 'licences');
    fs.writeFileSync(path.join(directory, 'assets/index-Bx3_4f.js'), SCRIPT);
    server = await startHttpServer(NoEndpoints, {}, (app) =>
      serveConsole(app.getHttpAdapter().getInstance(), directory),
    );
    url = `http://127.0.0.1:${(server.app.getHttpServer().address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await server.close();
    fs.rmSync(directory, { recursive: true });
  });

  it.each(['/console', '/console/', '/console/events', '/console/events/a%2Fb?x=1', '/console/index.html'])(
    '%s is the page, with a policy that allows nothing but its own files',
    async (address) => {
      const response = await fetch(url + address);
      expect([response.status, await response.text()]).toEqual([200, PAGE]);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|data:|\*|https?:/);
    },
  );

  it('is not sent again to a browser that has it', async () => {
    const etag = (await fetch(`${url}/console`)).headers.get('etag') ?? '';
    const response = await fetch(`${url}/console`, { headers: { 'if-none-match': etag } });
    expect([response.status, await response.text()]).toEqual([304, '']);
  });

  it('include the files of the build, for a year, compressed for those who take it', async () => {
    const asset = `${url}/console/assets/index-Bx3_4f.js`;
    const plain = await fetch(asset, { headers: { 'accept-encoding': 'gzip;q=0, identity' } });
    expect([plain.status, plain.headers.get('content-encoding'), await plain.text()]).toEqual([200, null, SCRIPT]);
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(plain.headers.get('vary')).toBe('Accept-Encoding');
    const fastify = server.app.getHttpAdapter().getInstance();
    const { headers, rawPayload } = await fastify.inject({
      url: '/console/assets/index-Bx3_4f.js',
      headers: { host: 'localhost', 'accept-encoding': 'br, gzip' },
    });
    expect(headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(rawPayload).toString()).toBe(SCRIPT);
  });

  it.each(['missing.js', '..%2findex.html', '%2e%2e%2flicences.md', '__proto__', '', 'a/b.js', '%00'])(
    'do not include assets/%s',
    async (name) => {
      const response = await fetch(`${url}/console/assets/${name}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    },
  );

  it('answer HEAD, and name what they take for another method', async () => {
    expect((await fetch(`${url}/console`, { method: 'HEAD' })).status).toBe(200);
    const refused = await fetch(`${url}/console`, { method: 'POST' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
