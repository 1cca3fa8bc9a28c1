import fastify from 'fastify';
import { KnownRoutes } from '../../../src/http/known-routes';

describe('KnownRoutes', () => {
  const routes = new KnownRoutes();
  const server = fastify();
  beforeAll(async () => {
    routes.watch(server);
    const handler = (): string => 'ok';
    server.post('/v1/events', handler);
    server.get('/v1/events/:id', handler);
    server.route({ method: ['PUT', 'DELETE'], url: '/v1/things/:id', handler });
    server.patch('/v1/things/:id', handler);
    server.get('/a.b', handler);
    server.get('/static/*', handler);
    await server.ready();
  });
  afterAll(() => server.close());

  const answer = (method: string, url: string): [string, string | undefined] => {
    const { code, extras } = routes.problemFor(method, url);
    return [code, extras.headers?.Allow];
  };

  it('answers 405 for a known path, with every method that it supports', () => {
    expect(answer('GET', '/v1/events')).toEqual(['method-not-allowed', 'POST']);
    expect(answer('POST', '/v1/events/42')).toEqual(['method-not-allowed', 'GET, HEAD']);
    expect(answer('GET', '/v1/things/42')).toEqual(['method-not-allowed', 'DELETE, PATCH, PUT']);
  });

  it('ignores the query', () => {
    expect(answer('GET', '/v1/events?x=/y')).toEqual(['method-not-allowed', 'POST']);
  });

  it.each([
    '/',
    '/v1',
    '/v1/events/42/attempts',
    '/v1/EVENTS',
    '/aXb',
    '/static/x.css',
    '/v1/events/',
    '/v1/events%2F',
    '',
  ])('answers 404 for the path %j', (url) => {
    expect(answer('PUT', url)).toEqual(['route-not-found', undefined]);
  });

  it.each([
    ['/v1/events/', '/v1/events'],
    ['//v1//events', '/v1/events'],
    ['/V1/Events', '/v1/events'],
    ['/v1/event', '/v1/events'],
    ['/v1/evnets', '/v1/events'],
    ['/v1/things/A-b_C/', '/v1/things/A-b_C'],
    ['/v1/thing/A-b_C', '/v1/things/A-b_C'],
    ['/events', '/v1/events'],
  ])('suggests for %s the path %s', (sent, meant) => {
    expect(routes.problemFor('POST', sent).detail).toBe(`There is no endpoint at this path. Did you mean ${meant}?`);
  });

  it.each(['/', '', '/v1', '/v1/orders', '/nothing/of/the/kind', `/v1/${'x'.repeat(10_000)}`])(
    'suggests no path for %s',
    (sent) => {
      expect(routes.problemFor('POST', sent).detail).toBe('There is no endpoint at this path.');
    },
  );
});
