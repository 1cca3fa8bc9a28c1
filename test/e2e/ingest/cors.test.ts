import { ADMIN_TOKEN } from '../../support/app';
import { useApp } from '../../support/fixtures/app';
import { expectProblem } from '../../support/e2e-http';
import { eventBody } from '../../support/events';

const APP = 'https://app.example.com';

describe('scripts of another origin', () => {
  describe('that CORS_ALLOWED_ORIGINS does not name', () => {
    const running = useApp();

    it('get no permission, and OPTIONS is 405 as before', async () => {
      const preflight = await running.http
        .options('/v1/events')
        .set({ Origin: APP, 'Access-Control-Request-Method': 'POST' });
      expect(expectProblem(preflight, 405, 'method-not-allowed')).toBeDefined();
      const response = await running.http.get('/health').set('Origin', APP);
      expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(response.headers.vary).toBeUndefined();
    });
  });

  describe('that CORS_ALLOWED_ORIGINS names', () => {
    const running = useApp({ CORS_ALLOWED_ORIGINS: `${APP}, http://localhost:5173` });
    const preflight = (path: string, origin: string, method: string, headers: string) =>
      running.http.options(path).set({
        Origin: origin,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': headers,
      });
    const listed = (header: unknown): string[] => String(header).toLowerCase().split(/, ?/);

    it.each([
      ['/v1/events', 'POST', 'content-type,x-tenant-id,idempotency-key,ce-id,ce-anything'],
      ['/v1/ingest/stream', 'POST', 'content-type,x-tenant-id,content-encoding'],
      ['/v1/admin/replay', 'POST', 'content-type,x-admin-token'],
      ['/v1/admin/destinations/x', 'PATCH', 'content-type,x-admin-token'],
      ['/v1/admin/destinations/x', 'DELETE', 'x-admin-token,authorization'],
    ])('get the preflight for %s %s with %s', async (path, method, headers) => {
      const response = await preflight(path, APP, method, headers);
      expect([response.status, response.text]).toEqual([200, '']);
      expect(response.headers['access-control-allow-origin']).toBe(APP);
      expect(listed(response.headers['access-control-allow-methods'])).toContain(method.toLowerCase());
      expect(listed(response.headers['access-control-allow-headers'])).toEqual(headers.split(','));
      expect(response.headers['access-control-max-age']).toBe('600');
      expect(response.headers['access-control-allow-credentials']).toBeUndefined();
      expect(response.headers['x-correlation-id']).toMatch(/./);
    });

    it('may read the headers that clients need, of refusals as well', async () => {
      const send = running.http.post('/v1/events').set({ Origin: APP, 'X-Tenant-Id': 'acme' });
      const missing = await running.http.get('/v1/admin/events').set({ Origin: APP });
      for (const response of [await send.send(eventBody()), missing]) {
        expect(response.headers['access-control-allow-origin']).toBe(APP);
        expect(response.headers.vary).toBe('Origin');
        expect(listed(response.headers['access-control-expose-headers'])).toEqual(
          expect.arrayContaining([
            'x-correlation-id',
            'location',
            'idempotent-replayed',
            'retry-after',
            'ratelimit-limit',
            'ratelimit-remaining',
            'ratelimit-reset',
          ]),
        );
      }
      expectProblem(missing, 401, 'admin-token-invalid');
      expect((await running.http.get('/').set('Origin', APP)).headers.vary).toBe('Origin, Accept');
    });

    it.each(['https://evil.example.com', 'http://app.example.com', `${APP}:8443`, 'null', `${APP}.evil.com`])(
      'get no permission for %s',
      async (origin) => {
        const response = await preflight('/v1/admin/replay', origin, 'POST', 'x-admin-token');
        expect(response.headers['access-control-allow-origin']).toBeUndefined();
        const token = { Origin: origin, 'X-Admin-Token': ADMIN_TOKEN };
        const read = await running.http.get('/v1/admin/events').set(token);
        expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, undefined]);
      },
    );
  });

  describe('of any origin, with *', () => {
    const running = useApp({ CORS_ALLOWED_ORIGINS: '*' });

    it('get permission without credentials', async () => {
      const { headers } = await running.http.get('/health').set('Origin', APP);
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    });
  });
});
