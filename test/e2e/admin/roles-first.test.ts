import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { OPERATOR_ROLES, type OperatorRole } from '../../../src/access/identity/operator-roles';
import { givenOperator } from '../../support/credentials';
import { call, expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import type { ApiDocument, Operation } from '../../support/openapi-inputs';

const document = JSON.parse(readFileSync(path.resolve(__dirname, '../../../openapi.json'), 'utf8')) as ApiDocument;
type AdminOperation = Operation & { 'x-role': OperatorRole };
const operations = Object.entries(document.paths)
  .filter(([route]) => route.startsWith('/v1/admin/'))
  .flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${route}`,
      method: method.toUpperCase(),
      route,
      role: (operation as AdminOperation)['x-role'],
    })),
  );

/** Requests that are wrong in every way that the endpoint could complain about. */
const WRONG: [what: string, suffix: string, contentType: string | undefined, body: string | undefined][] = [
  ['broken JSON', '', 'application/json', '{"tenantId":'],
  ['unknown fields', '', 'application/json', '{"no such":1}'],
  ['another media type', '', 'text/plain', 'hello'],
  ['no valid media type', '', '?', 'hello'],
  ['a body that is too large', '', 'application/json', `"${'x'.repeat(300_000)}"`],
  ['query parameters', '?no-such=1', undefined, undefined],
];

describe('the role of an operator is checked before anything that the request contains', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const tokens = new Map<OperatorRole, string>();
  beforeAll(async () => {
    for (const role of OPERATOR_ROLES) tokens.set(role, (await givenOperator(api.pool, { role })).text);
  });

  it('is declared by every admin endpoint', () => {
    expect(operations.filter(({ role }) => !OPERATOR_ROLES.includes(role))).toEqual([]);
  });

  it('is checked for HEAD as well', async () => {
    const head = (headers: Record<string, string>) =>
      fetch(`${api.url}/v1/admin/operators`, { method: 'HEAD', headers });
    const answers = [await head({}), await head({ 'x-admin-token': tokens.get('viewer') as string })];
    expect(answers.map(({ status }) => status)).toEqual([401, 403]);
    expect((await head({ 'x-admin-token': tokens.get('owner') as string })).status).toBe(200);
  });

  it.each(operations)('$name', async ({ method, route, role }) => {
    const target = api.url + route.replace(/\{\w+\}/g, 'not-an-id');
    const below = OPERATOR_ROLES[OPERATOR_ROLES.indexOf(role) - 1];
    for (const [what, suffix, contentType, body] of WRONG) {
      if (method === 'GET' && body !== undefined) continue;
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const type = contentType === undefined ? {} : { 'content-type': contentType, ...length };
      const send = (headers: Record<string, string>) =>
        call(target + suffix, { method, headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) });
      const unknown = await send({});
      expect([what, unknown.status]).toEqual([what, 401]);
      if (!below) continue;
      const refused = await send({ 'x-admin-token': tokens.get(below) as string });
      expect([what, refused.status]).toEqual([what, 403]);
      expectProblem(refused, 403, 'role-insufficient');
    }
  });
});
