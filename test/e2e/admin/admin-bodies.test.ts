import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Event } from '../../../src/event/event';
import { givenDeadLetters } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { ask as askAdmin, createdKey, createdOperator, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { useApp } from '../../support/fixtures/app';
import { call, expectProblem } from '../../support/e2e-http';
import { givenDestination } from '../../support/receivers/destinations';
import { resolve, type ApiDocument, type Operation } from '../../support/openapi-inputs';
import { validBodyOf } from '../../support/valid-bodies';
import { allows, bodySchemaOf, wrongValuesOf } from '../../support/wrong-inputs';

const document = JSON.parse(readFileSync(path.resolve(__dirname, '../../../openapi.json'), 'utf8')) as ApiDocument;

type Described = [method: string, route: string, operation: Operation];
const operations = Object.entries(document.paths)
  .filter(([route]) => route.startsWith('/v1/admin/'))
  .flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, operation]): Described => [method.toUpperCase(), route, operation]),
  );
const withBody = operations.filter(([, , operation]) => operation.requestBody);
const withoutBody = operations.filter(([method, , operation]) => method !== 'GET' && !operation.requestBody);

/** Properties that are read from their text. Every name in them is an ordinary one. */
const READ_AS_TEXT: Record<string, readonly string[]> = { createRevision: ['payload', 'patch'] };
/** Texts of no schema that are no JSON object. */
const NO_OBJECTS = ['null', 'true', '5', '"x"', '[]', '[{}]'];

describe('a request to an admin endpoint', () => {
  const api = useApp({ APP_ROLE: 'api', DESTINATIONS_ALLOW_PRIVATE: 'true', ADMIN_RATE_LIMIT_PER_MINUTE: '100000' });
  let destinationId: string;
  let keyId: string;
  let operatorId: string;
  let sourceId: string;
  let eventId: string;
  beforeAll(async () => {
    destinationId = (await givenDestination(api.url, { tenantId: 'demo', url: 'http://127.0.0.1:9/' })).id;
    await expectStatus(201, askAdmin(api.url, 'POST', 'tenants', { body: { id: 'demo', name: 'Demo' } }));
    keyId = (await createdKey(api.url, 'demo')).id;
    operatorId = (await createdOperator(api.url, { role: 'viewer' })).id;
    sourceId = (await createdSource(api.url)).id;
    eventId = ((await givenDeadLetters(api.pool, 1, { tenantId: 'demo' })) as [Event])[0].id;
  });
  /** Fills in the ids of what exists. Other parameters get the id of something else. */
  const pathOf = (route: string): string =>
    route
      .replace('{tenantId}', 'demo')
      .replace('keys/{id}', `keys/${keyId}`)
      .replace('operators/{id}', `operators/${operatorId}`)
      .replace('sources/{id}', `sources/${sourceId}`)
      .replace('events/{id}', `events/${eventId}`)
      .replace(/\{\w+\}/g, destinationId);

  const ask = ([method, route]: Described, body?: string, contentType = 'application/json') => {
    const target = pathOf(route);
    const type = body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    return call(`${api.url}${target}`, { method, headers: { 'x-admin-token': ADMIN_TOKEN, ...type }, body });
  };
  /** Expects 400 `invalid-request`, and returns its pointers. The problem may quote an address of the request. */
  const pointersOf = (answer: Awaited<ReturnType<typeof ask>>): string[] => {
    const problem = expectProblem({ ...answer, text: answer.text.replaceAll('127.0.0.1', '') }, 400, 'invalid-request');
    return (problem.errors ?? []).map((error) => error.pointer);
  };
  const expectRefused = (answer: Awaited<ReturnType<typeof ask>>, pointer: string): void =>
    expect(pointersOf(answer)).toContain(pointer);

  it.each(withBody)('%s %s: every property of a wrong type or beyond its bounds is refused', async (...described) => {
    const [, , operation] = described;
    const schema = bodySchemaOf(operation, document);
    const properties = Object.entries(schema?.properties ?? {});
    expect(properties.length).toBeGreaterThan(0);
    for (const [name, of] of properties) {
      const wrong = wrongValuesOf(of, document);
      if (allows(of, {}, document) && allows(of, null, document)) continue; // any JSON value
      expect(wrong.length).toBeGreaterThan(10);
      for (const { what, value } of wrong) {
        const answer = await ask(described, JSON.stringify({ ...validBodyOf(operation), [name]: value }));
        expect([name, what, answer.status]).toEqual([name, what, 400]);
        const isAt = (pointer: string): boolean => pointer === `/${name}` || pointer.startsWith(`/${name}/`);
        expect([name, what, pointersOf(answer).some(isAt)]).toEqual([name, what, true]);
      }
    }
  });

  it.each(withBody)('%s %s: a body that is no object is refused', async (...described) => {
    for (const text of NO_OBJECTS) expectRefused(await ask(described, text), '');
    for (const text of ['', '{', '{} {}', 'tenantId=demo'])
      expectProblem(await ask(described, text), 400, 'malformed-body');
  });

  it.each(withBody)(
    '%s %s: a missing body is refused unless the document says that it is optional',
    async (...described) => {
      const answer = await ask(described);
      const [, , { requestBody }] = described;
      if (requestBody?.required === false) expect(answer.status).toBeLessThan(300);
      else expectRefused(answer, '');
    },
  );

  it.each(withBody)('%s %s: an unknown property is refused', async (...described) => {
    const valid = JSON.stringify(validBodyOf(described[2])).slice(1, -1);
    const before = valid === '' ? '' : `${valid},`;
    for (const name of ['extra', 'tenantID', 'Limit', '__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])
      expectRefused(await ask(described, `{${before}${JSON.stringify(name)}:{}}`), `/${name}`);
  });

  it.each(withBody)('%s %s: an object that would break the validation is refused', async (...described) => {
    const [, , operation] = described;
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    const asText = READ_AS_TEXT[operation.operationId ?? ''] ?? [];
    for (const name of Object.keys(bodySchemaOf(operation, document)?.properties ?? {})) {
      if (asText.includes(name)) continue;
      const valid = validBodyOf(operation);
      for (const member of ['constructor', '__proto__', 'toString']) {
        const nested = JSON.stringify({ ...valid, [name]: '?' }).replace('"?"', `{"${member}":1}`);
        expectRefused(await ask(described, nested), `/${name}/${member}`);
      }
      const body = JSON.stringify({ ...valid, [name]: '?' }).replace('"?"', deep);
      expectProblem(await ask(described, body), 400, 'invalid-request');
    }
  });

  it.each(withBody)('%s %s: the valid body is accepted', async (...described) => {
    const answer = await ask(described, JSON.stringify(validBodyOf(described[2])));
    expect([200, 201, 202]).toContain(answer.status);
  });

  it.each(withoutBody)('%s %s: a body is refused where none is read', async (...described) => {
    for (const text of [...NO_OBJECTS, '{"eventId":"x"}']) expectRefused(await ask(described, text), '');
  });

  it.each(['\xff{}', '{"tenantId":"\xff","dryRun":true}'])('a body that is not UTF-8 is refused: %j', async (text) => {
    const answer = await call(`${api.url}/v1/admin/dlq/retry`, {
      method: 'POST',
      headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
      body: Buffer.from(text, 'latin1'),
    });
    expectProblem(answer, 400, 'malformed-body');
  });

  const queries = operations.flatMap(([, route, operation]) =>
    (operation.parameters ?? [])
      .map((parameter) => resolve(document, parameter))
      .filter((parameter) => parameter.in === 'query')
      .map(({ name, schema }, _i, all) => ({
        route,
        name,
        schema: resolve(document, schema),
        others: all
          .filter((other) => other.required && other.name !== name)
          .map((other) => `&${other.name}=${encodeURIComponent(String(resolve(document, other.schema).example))}`)
          .join(''),
      })),
  );
  const get = (target: string) => call(`${api.url}${target}`, { headers: { 'x-admin-token': ADMIN_TOKEN } });

  it.each(queries.filter(({ schema }) => schema.type === 'integer'))(
    'GET $route: $name must be digits within its bounds',
    async ({ route, name, schema, others }) => {
      for (const text of [
        '',
        '5x',
        'x5',
        '5.5',
        '5.0',
        '5e1',
        '0x5',
        '+5',
        '-5',
        '%205',
        '5%20',
        '%EF%BC%95',
        String((schema.minimum ?? NaN) - 1),
        String((schema.maximum ?? NaN) + 1),
      ])
        expectRefused(await get(`${pathOf(route)}?${name}=${text}${others}`), `/${name}`);
      const taken = route.includes('{') ? [200, 404] : [200]; // 404: nothing has the id in the path
      for (const text of [schema.minimum, schema.maximum])
        expect(taken).toContain((await get(`${pathOf(route)}?${name}=${text}${others}`)).status);
    },
  );

  it.each(queries.filter(({ schema }) => schema.type !== 'array'))(
    'GET $route: $name is refused when repeated or empty',
    async ({ route, name, schema }) => {
      const values: Record<string, string> = { boolean: 'true', integer: '5' };
      const value =
        (schema.enum?.[0] as string | undefined) ?? values[String(schema.type)] ?? (schema.format ? '2026-01-01' : 'x');
      expectRefused(await get(`${pathOf(route)}?${name}=${value}&${name}=${value}`), `/${name}`);
      expectRefused(await get(`${pathOf(route)}?${name}=`), `/${name}`);
    },
  );

  it.each(operations.filter(([method]) => method === 'GET').map(([, route]) => route))(
    'GET %s: an unknown parameter is refused',
    async (route) => {
      const target = pathOf(route);
      for (const name of ['extra', 'Limit', 'limit[]', '__proto__', 'constructor'])
        expectRefused(await get(`${target}?${encodeURIComponent(name)}=1`), `/${name}`);
    },
  );

  it.each(operations.filter(([method]) => method !== 'GET'))(
    '%s %s: a query parameter is refused, so that no filter is ignored',
    async (method, route, operation) => {
      const body = operation.requestBody && JSON.stringify(validBodyOf(operation));
      expectRefused(await ask([method, `${route}?tenantId=demo`, operation], body), '/tenantId');
    },
  );

  it.each(withBody)('%s %s: a property that is sent twice is refused', async (...described) => {
    const [, , operation] = described;
    const valid = JSON.stringify(validBodyOf(operation)).slice(1, -1);
    const twice = '"x":1,"\\u0078":2';
    expectRefused(await ask(described, ` {${valid === '' ? twice : `${valid},${twice}`}}`), '/x');
  });

  it('a mistyped property is refused with the one that was probably meant', async () => {
    for (const [name, meant] of [
      ['tenantID', 'tenantId'],
      ['reason_code', 'reasonCode'],
      ['evntIds', 'eventIds'],
    ] as const) {
      const refused = [
        await call(`${api.url}/v1/admin/dlq/retry`, {
          method: 'POST',
          headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
          body: JSON.stringify({ all: true, [name]: 'x' }),
        }),
        await get(`/v1/admin/events?${name}=x`),
      ];
      for (const answer of refused) {
        const { errors } = expectProblem(answer, 400, 'invalid-request');
        expect(errors).toContainEqual({
          pointer: `/${name}`,
          code: 'invalid-request',
          message: `property ${name} should not exist; did you mean ${meant}?`,
        });
      }
    }
  });
});
