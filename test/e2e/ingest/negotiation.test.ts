import { ADMIN_TOKEN, startTestApp } from '../../support/app';
import { useApp } from '../../support/fixtures/app';
import { expectProblem } from '../../support/e2e-http';
import { eventBody } from '../../support/events';

const LINE = `${JSON.stringify(eventBody())}\n`;

describe('what a client accepts', () => {
  const running = useApp();
  const stream = (accept: string) =>
    running.http
      .post('/v1/ingest/stream')
      .set({ 'Content-Type': 'application/x-ndjson', 'X-Tenant-Id': 'acme', Accept: accept })
      .send(LINE);
  const countEvents = async (): Promise<number> => (await running.pool.query('select from events')).rowCount ?? 0;

  it.each([
    ['application/x-ndjson;q=0, */*', 'application/json'],
    ['application/x-ndjson;q=0.5, application/json', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json;q=0, */*', 'application/x-ndjson'],
    ['application/json;q=0.9, application/jsonl', 'application/x-ndjson'],
  ])('decides the response to a stream: %s', async (accept, type) => {
    const response = await stream(accept);
    expect(response.status).toBeLessThan(300);
    expect(response.headers['content-type']).toContain(type);
  });

  it.each(['application/json;q=0, application/x-ndjson;q=0', '*/*;q=0', 'application/*;q=0', 'text/html'])(
    'may be nothing that a stream gets, and then nothing is stored: %s',
    async (accept) => {
      const before = await countEvents();
      const { detail } = expectProblem(await stream(accept), 406, 'not-acceptable');
      expect(detail).toContain('application/json, application/x-ndjson');
      expect(await countEvents()).toBe(before);
    },
  );

  it('is refused everywhere when it refuses JSON, before anything is stored', async () => {
    const before = await countEvents();
    const refusing = { Accept: 'application/json;q=0', 'X-Tenant-Id': 'acme', 'X-Admin-Token': ADMIN_TOKEN };
    for (const accept of ['application/json;q=0', 'application/json;q=0, application/x-ndjson', '*/*;q=0']) {
      const posted = running.http.post('/v1/events').set({ ...refusing, Accept: accept });
      expectProblem(await posted.send(eventBody()), 406, 'not-acceptable');
    }
    expectProblem(await running.http.get('/v1/events/x').set(refusing), 406, 'not-acceptable');
    expectProblem(await running.http.get('/v1/admin/events').set(refusing), 406, 'not-acceptable');
    expect(await countEvents()).toBe(before);
  });

  it('does not matter where there is only JSON, unless it refuses JSON', async () => {
    const accept = { Accept: 'text/html', 'X-Tenant-Id': 'acme' };
    expect((await running.http.post('/v1/events').set(accept).send(eventBody())).status).toBeLessThan(300);
    expectProblem(await running.http.get('/v1/events/none').set(accept), 404, 'event-not-found');
  });
});

describe('GET /', () => {
  const running = useApp();
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

  it.each([undefined, '*/*', 'application/json', 'text/html;q=0.5, application/json'])(
    'names the entry points for a client that accepts %s, and each of them exists',
    async (accept) => {
      const response = await running.http.get('/').set(accept === undefined ? {} : { Accept: accept });
      expect(response.status).toBe(200);
      expect(response.headers).toMatchObject({ vary: 'Accept', 'content-type': 'application/json; charset=utf-8' });
      expect(response.body).toEqual({
        name: 'streamforge',
        version: expect.stringMatching(/^\d+\./) as string,
        links: {
          ...{ console: '/console', docs: '/docs', openapi: '/docs-json' },
          ...{ health: '/health', ready: '/ready', metrics: '/metrics' },
        },
      });
      const { links } = response.body as { links: Record<string, string> };
      for (const path of Object.values(links))
        expect([path, (await running.http.get(path)).status]).toEqual([path, 200]);
    },
  );

  it('leads a browser to the console, and answers HEAD likewise', async () => {
    for (const method of ['get', 'head'] as const) {
      const response = await running.http[method]('/').set('Accept', BROWSER).redirects(0);
      expect([response.status, response.headers.location]).toEqual([302, '/console']);
    }
    const head = await running.http.head('/');
    expect([head.status, head.text ?? '']).toEqual([200, '']);
  });

  it('is 406 for a client that accepts neither JSON nor HTML, and 405 for another method', async () => {
    expectProblem(await running.http.get('/').set('Accept', 'image/png'), 406, 'not-acceptable');
    expect((await running.http.post('/')).headers.allow).toBe('GET, HEAD');
  });

  it('leads no browser to a page that a role does not have', async () => {
    const worker = await startTestApp(running.databaseUrl, { APP_ROLE: 'publisher,worker' });
    try {
      const response = await worker.http.get('/').set('Accept', `${BROWSER}`);
      expect(response.status).toBe(200);
      expect((response.body as { links: object }).links).toEqual({
        health: '/health',
        ready: '/ready',
        metrics: '/metrics',
      });
    } finally {
      await worker.close();
    }
  });
});
