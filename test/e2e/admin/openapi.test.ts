import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import * as fc from 'fast-check';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call } from '../../support/e2e-http';
import { requestsOf, type ApiDocument, type Operation } from '../../support/openapi-inputs';

const CHECKED_IN = path.resolve(__dirname, '../../../openapi.json');
const document = JSON.parse(readFileSync(CHECKED_IN, 'utf8')) as ApiDocument;
const operations = Object.entries(document.paths).flatMap(([route, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
    method.toUpperCase(),
    route,
    operation,
  ]),
);
const TOKENS = { 'x-tenant-id': 'demo', 'x-admin-token': ADMIN_TOKEN };

describe('the OpenAPI document', () => {
  let database: TestDatabase;
  let all: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    all = await startTestApp(database.url, { DESTINATIONS_ALLOW_PRIVATE: 'true' });
  });
  afterAll(async () => {
    await all.close();
    await database.drop();
  });

  it('that is checked in is the one that is served; if not: npm run openapi', async () => {
    const served = await call<ApiDocument>(`${all.url}/docs-json`);
    expect(served.body).toEqual(document);
  });

  it('is valid by the schema of OpenAPI', async () => {
    const result = await new Validator().validate(structuredClone(document) as never);
    expect(result).toMatchObject({ valid: true });
  });

  it.each(operations)('%s %s has a summary, and says how it refuses', (_method, route, operation) => {
    expect(operation.summary).toMatch(/\w{3,}/);
    if (!route.startsWith('/v1/')) return;
    const refusals = Object.entries(operation.responses).filter(([status]) => status >= '400');
    expect(refusals.length).toBeGreaterThanOrEqual(4);
    for (const [, { content }] of refusals) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    expect(operation.security?.length).toBeGreaterThan(0);
  });

  it('has both tokens under Authorize', () => {
    const names = Object.values(document.components.securitySchemes).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['X-Tenant-Id', 'X-Admin-Token']));
  });

  it('has examples that work as they stand', async () => {
    for (const [method, route, operation] of operations) {
      if (route.includes('{')) continue; // they name what a fresh system does not have
      const query = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'query' && parameter.schema.example !== undefined)
        .map(({ name, schema }) => `${name}=${encodeURIComponent(String(schema.example))}`);
      const url = `${all.url}${route}?${query.join('&')}`;
      const contents = Object.entries(operation.requestBody?.content ?? {});
      for (const [type, { example, examples }] of contents.length > 0
        ? contents
        : ([['', {} as never]] as typeof contents)) {
        const value = example ?? Object.values(examples ?? {})[0]?.value;
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        const body = value === undefined ? undefined : withoutNameServer(text);
        const headers = { ...TOKENS, ...(type ? { 'content-type': type } : {}) };
        const answer = await call(url, { method, headers, body });
        expect([method, route, type, answer.status, answer.status < 400 || answer.text]).toEqual([
          method,
          route,
          type,
          expect.any(Number),
          true,
        ]);
      }
    }
  });

  it.each(operations)('%s %s never answers 5xx, whatever is sent', async (method, route, operation) => {
    await fc.assert(
      fc.asyncProperty(requestsOf(route, operation, document), async ({ path: target, headers, body }) => {
        const answer = await call(`${all.url}${target}`, { method, headers: { ...TOKENS, ...headers }, body });
        if (answer.status >= 500) throw new Error(`${answer.status}: ${answer.text}`);
        expect(answer.headers['x-correlation-id']).toBeDefined();
      }),
      { numRuns: 120, interruptAfterTimeLimit: 10_000 },
    );
  });
});

/** A machine without a name server knows this name. */
function withoutNameServer(text: string): string {
  return text.replace('https://example.com/', 'http://localhost/');
}
