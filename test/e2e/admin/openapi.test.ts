import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import * as fc from 'fast-check';
import { OPERATOR_ROLES } from '../../../src/access/identity/operator-roles';
import { ADMIN_TOKEN } from '../../support/app';
import { useApp } from '../../support/fixtures/app';
import { call } from '../../support/e2e-http';
import { requestsOf, resolve, type ApiDocument, type Operation, type Schema } from '../../support/openapi-inputs';

const CHECKED_IN = path.resolve(__dirname, '../../../openapi.json');
const document = JSON.parse(readFileSync(CHECKED_IN, 'utf8')) as ApiDocument;
/** A code works once. */
const SIGN_INS = ['startConsoleSession', 'startIssuerSession'];
const operations = Object.entries(document.paths).flatMap(([route, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
    method.toUpperCase(),
    route,
    operation,
  ]),
);
/** Objects of which every property may be left out. */
const ALL_OPTIONAL = [
  'DependencyChecks',
  'RetryRequest',
  'DiscardRequest',
  'RetryDeliveriesRequest',
  'DiscardDeliveriesRequest',
  'OutboxRetryRequest',
  'DestinationChangeRequest',
  'TestDestinationRequest',
  'RotateSecretRequest',
  'TenantChangeRequest',
  'RotateKeyRequest',
  'OperatorChangeRequest',
  'SourceChangeRequest',
  'RotateTokenRequest',
  'SourceTestRequest',
  'ExpectationRequest',
  'ResubmitRequest',
  'DiscardRejectionsRequest',
  'RevisionRequest',
];
const TOKENS = { 'x-tenant-id': 'demo', 'x-admin-token': ADMIN_TOKEN };

describe('the OpenAPI document', () => {
  const all = useApp({ DESTINATIONS_ALLOW_PRIVATE: 'true' });

  it('is the one that is checked in (if not, run npm run openapi)', async () => {
    const served = await call<ApiDocument>(`${all.url}/docs-json`);
    expect(served.body).toEqual(document);
  });

  it('is valid against the OpenAPI schema', async () => {
    const result = await new Validator().validate(structuredClone(document) as never);
    expect(result).toMatchObject({ valid: true });
  });

  it.each(operations)('has a summary and refusals for %s %s', (_method, route, operation) => {
    expect(operation.summary).toMatch(/\w{3,}/);
    if (!route.startsWith('/v1/')) return;
    const refusals = responsesOf(operation).filter(([status]) => status >= '400');
    expect(refusals.length).toBeGreaterThanOrEqual(4);
    for (const [, { content }] of refusals) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    expect(operation.security?.length).toBeGreaterThan(0);
  });

  it('gives every operation a unique id that we chose', () => {
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(
      ids.filter(
        (id) =>
          !/^(?:get|list|ingest|start|cancel|retry|resubmit|discard|create|put|change|delete|test|rotate|send|pause|resume)[A-Z]\w+$|^whoami$/.test(
            id ?? '',
          ),
      ),
    ).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(operations)('has only named schemas as bodies of %s %s', (_method, _route, operation) => {
    const contents = [operation.requestBody?.content, ...responsesOf(operation).map(([, { content }]) => content)];
    const inline = contents
      .flatMap((content) => Object.entries(content ?? {}))
      .filter(([type, { schema }]) => type.includes('json') && !type.includes('ndjson') && !isNamed(schema));
    expect(inline).toEqual([]);
  });

  it('declares the required properties of every object', () => {
    const { schemas } = document.components;
    const silent = Object.keys(schemas).filter((name) => schemas[name]?.properties && !schemas[name]?.required);
    expect(silent).toEqual(ALL_OPTIONAL);
  });

  it('gives every number bounds, and declares all numbers integers except two ages, a success rate and the waits of a schedule', () => {
    const numbers = schemasWithin(document).filter(({ type }) => isOfType(type, 'number') || isOfType(type, 'integer'));
    expect(numbers.length).toBeGreaterThan(50);
    expect(numbers.filter(({ minimum, maximum }) => minimum === undefined || maximum === undefined)).toEqual([]);
    const waits = Object.values(document.components.schemas).filter(({ properties }) => properties?.retrySchedule);
    expect(waits.length).toBeGreaterThan(0);
    expect(numbers.filter(({ type }) => isOfType(type, 'number'))).toHaveLength(3 + waits.length);
  });

  it.each(operations)('shows each refusal of %s %s with its own status and code', (_method, route, operation) => {
    for (const [status, { content, headers }] of responsesOf(operation).filter(([of]) => of >= '400')) {
      const examples = Object.entries(content?.['application/problem+json']?.examples ?? {});
      if (route.startsWith('/v1/')) expect(examples.length).toBeGreaterThan(0);
      for (const [code, example] of examples) {
        const { value } = resolve(document, example) as { value: Record<string, unknown> };
        expect(value).toMatchObject({ code, status: code === 'stream-rejected' ? 'rejected' : Number(status) });
      }
      if (status === '429' || (status === '503' && route !== '/ready')) expect(headers).toHaveProperty('Retry-After');
    }
  });

  it('has no broken reference', () => {
    const references = schemasWithin(document).filter(
      (at): at is Schema & { $ref: string } => typeof at.$ref === 'string',
    );
    for (const reference of references) expect(resolve(document, reference)).toBeDefined();
  });

  it('describes what destinations receive', () => {
    const { requestBody, parameters } = document.webhooks.event?.post as Operation;
    expect(requestBody?.content['application/json']?.schema).toEqual({ $ref: '#/components/schemas/DeliveredEvent' });
    const names = parameters?.map((parameter) => resolve(document, parameter).name);
    expect(names).toEqual(expect.arrayContaining(['webhook-id', 'webhook-timestamp', 'webhook-signature']));
  });

  it('offers each kind of credentials under Authorize, and calls none of them a JWT', () => {
    const schemes = Object.entries(document.components.securitySchemes);
    expect(schemes.map(([name, { type, name: header, scheme }]) => [name, type, header ?? scheme])).toEqual([
      ['tenant', 'apiKey', 'X-Tenant-Id'],
      ['api-key', 'apiKey', 'X-Api-Key'],
      ['bearer', 'http', 'bearer'],
      ['admin-token', 'apiKey', 'X-Admin-Token'],
      ['metrics-token', 'http', 'bearer'],
    ]);
    expect(JSON.stringify(schemes)).not.toMatch(/JWT/);
  });

  it.each(operations)(
    'names the credentials that %s %s takes, each of which is enough',
    (_method, route, operation) => {
      const taken = operation.security?.map((scheme) => Object.keys(scheme).join(' and ')).toSorted();
      expect(taken).toEqual(credentialsOf(route, operation.operationId));
    },
  );

  it.each(operations)(
    'names the least role of %s %s exactly if it is for operators only',
    (_method, route, operation) => {
      const isRole = OPERATOR_ROLES.some((role) => role === operation['x-role']);
      expect([isRole, operation['x-role'] === undefined]).toEqual(
        route.startsWith('/v1/admin/') ? [true, false] : [false, true],
      );
    },
  );

  it('has examples that work unchanged', async () => {
    for (const [method, route, operation] of operations) {
      if (route.includes('{')) continue; // they name what a fresh system does not have
      if (operation.operationId === 'listLiveEvents') continue; // its response does not end
      if (SIGN_INS.includes(operation.operationId ?? '')) continue;
      const query = (operation.parameters ?? [])
        .map((parameter) => resolve(document, parameter))
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

function credentialsOf(route: string, id: string | undefined): string[] | undefined {
  if (route.startsWith('/v1/admin/')) return ['admin-token', 'bearer'];
  if (id === 'getEvent' || id === 'whoami') return ['admin-token', 'api-key', 'bearer', 'tenant'];
  if (route.startsWith('/v1/')) return ['api-key', 'bearer', 'tenant'];
  return route === '/metrics' ? ['metrics-token'] : undefined;
}

const responsesOf = (operation: Operation) =>
  Object.entries(operation.responses).map(([status, response]) => [status, resolve(document, response)] as const);

/** A schema with a name, or one of text or nothing, or an array, a choice or a map of such. */
function isNamed({ $ref, type, items, oneOf, anyOf }: Schema): boolean {
  if ($ref !== undefined) return true;
  if (type === 'array') return items !== undefined && isNamed(items);
  return (oneOf ?? anyOf)?.every(isNamed) ?? false;
}

const isOfType = (type: Schema['type'], name: string): boolean => [type].flat().includes(name);

/** Every object of the document that may be a schema. */
function schemasWithin(at: unknown): Schema[] {
  if (typeof at !== 'object' || at === null) return [];
  return [...(Array.isArray(at) ? [] : [at as Schema]), ...Object.values(at).flatMap(schemasWithin)];
}

/** A machine without a name server knows this name. */
function withoutNameServer(text: string): string {
  return text.replace('https://example.com/', 'http://localhost/');
}
