import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { includesRole, type OperatorRole } from '../../../src/access/identity/operator-roles';
import { givenCallers, type TestCaller } from '../../support/access/callers';
import { givenVictim, STRANGER, VICTIM, victimPath, type VictimData } from '../../support/access/victim';
import { call, type Answer } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { requestsOf, type ApiDocument, type Operation } from '../../support/openapi-inputs';
import { validBodyOf } from '../../support/valid-bodies';

const document = JSON.parse(readFileSync(path.resolve(__dirname, '../../../openapi.json'), 'utf8')) as ApiDocument;

const operations = Object.entries(document.paths)
  .filter(([route]) => route.startsWith('/v1/'))
  .flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      route,
      operation,
    })),
  );
type Endpoint = (typeof operations)[number];
const adminEndpoints = operations.filter(({ route }) => route.startsWith('/v1/admin/'));
const tenantEndpoints = operations.filter(({ route }) => !route.startsWith('/v1/admin/'));

/** The scope that a key needs for an endpoint of tenants; null: any valid key. */
const SCOPES: Record<string, string | null> = {
  ingestEvent: 'ingest',
  ingestStream: 'ingest',
  getEvent: 'read',
  whoami: null,
};

const EVENT = { eventType: 'order.paid', subject: 'order-1', payload: { amount: 10 } };
const UNKNOWN_CREDENTIAL = 'Zz0000000000';
const UNKNOWN_ID = '01a20bbe-19c8-7764-af38-5def3fbd1764';

describe('the access to every endpoint', () => {
  const api = useApp({ APP_ROLE: 'api', TENANT_AUTH: 'key', DESTINATIONS_ALLOW_PRIVATE: 'true' });
  let callers: TestCaller[];
  let victim: VictimData;
  beforeAll(async () => {
    callers = await givenCallers(api.pool, VICTIM, STRANGER);
    victim = await givenVictim(api.url, api.pool);
  });

  /** A valid request for what belongs to the victim. */
  const ask = async (
    endpoint: Endpoint,
    caller: TestCaller,
    target?: string,
  ): Promise<Answer<{ code?: string } | undefined>> => {
    const { method, route, operation } = endpoint;
    const url = `${api.url}${target ?? victimPath(route, victim)}`;
    const body = bodyOf(operation);
    const type = body === undefined ? {} : { 'content-type': body.type };
    const answer = await call<{ code?: string } | undefined>(url, {
      method,
      headers: { ...caller.headers, ...type },
      body: body?.text,
    });
    expect([caller.name, answer.status < 500, answer.text]).toEqual([caller.name, true, answer.text]);
    return answer;
  };
  const eachCaller = async (check: (caller: TestCaller) => Promise<void>): Promise<void> => {
    for (const caller of callers) await check(caller);
  };

  it('is declared as a role by every admin endpoint, and by no other', () => {
    expect(adminEndpoints.filter(({ operation }) => !operation['x-role']).map(({ route }) => route)).toEqual([]);
    expect(tenantEndpoints.filter(({ operation }) => operation['x-role']).map(({ route }) => route)).toEqual([]);
    expect(tenantEndpoints.map(({ operation }) => operation.operationId).toSorted()).toEqual(
      Object.keys(SCOPES).toSorted(),
    );
  });

  it.each(adminEndpoints)('$method $route: is for operators with its role', async (endpoint) => {
    const least = endpoint.operation['x-role'] as OperatorRole;
    await eachCaller(async (caller) => {
      if (endpoint.method !== 'GET' && caller.role && includesRole(caller.role, least) && caller.seesVictim) return;
      const { status, body } = await ask(endpoint, caller);
      const told = [caller.name, status, body?.code];
      if (!caller.role) expect(told).toEqual([caller.name, 401, 'admin-token-invalid']);
      else if (!includesRole(caller.role, least)) expect(told).toEqual([caller.name, 403, 'role-insufficient']);
      else expect([401, 403]).not.toContain(body?.code === 'role-insufficient' && !caller.seesVictim ? 0 : status);
    });
  });

  it.each(tenantEndpoints)('$method $route: is for keys with its scope', async (endpoint) => {
    const scope = SCOPES[endpoint.operation.operationId ?? ''] as string | null;
    const forOperators = scope !== 'ingest';
    await eachCaller(async (caller) => {
      const { status, body } = await ask(endpoint, caller);
      const told = [caller.name, status, body?.code];
      if (caller.scopes && scope !== null && !caller.scopes.includes(scope)) {
        expect(told).toEqual([caller.name, 403, 'scope-missing']);
      } else if (caller.scopes || (caller.role && forOperators)) {
        expect([caller.name, status !== 401 && status !== 403, status]).toEqual([caller.name, true, status]);
      } else {
        expect([caller.name, status]).toEqual([caller.name, 401]);
        const asOperator = forOperators && isOperatorToken(caller);
        const sendsNoKey = caller.headers['x-admin-token'] !== undefined;
        const asTenant = sendsNoKey ? 'api-key-missing' : (caller.refusedAs ?? 'api-key-invalid');
        expect(body?.code).toBe(asOperator ? 'admin-token-invalid' : asTenant);
      }
    });
  });

  it.each(operations)('$method $route: shows nothing of another tenant', async (endpoint) => {
    await eachCaller(async (caller) => {
      if (caller.seesVictim) return;
      expectNothingOf(victim, (await ask(endpoint, caller)).text);
    });
  });

  it.each(operations.filter(({ route }) => /\{\w+\}/.test(route)))(
    '$method $route: another tenant is like one that does not exist, to the byte',
    async (endpoint) => {
      const id = /keys|operators/.test(endpoint.route) ? UNKNOWN_CREDENTIAL : UNKNOWN_ID;
      const unknown = endpoint.route.replaceAll('{tenantId}', 'nobody-0000').replace(/\{\w+\}/g, id);
      await eachCaller(async (caller) => {
        if (caller.seesVictim) return;
        const [theirs, nobodys] = [await ask(endpoint, caller), await ask(endpoint, caller, unknown)];
        expect([caller.name, comparable(theirs)]).toEqual([caller.name, comparable(nobodys)]);
        if (caller.role === 'owner') expect([caller.name, theirs.status]).toEqual([caller.name, 404]);
      });
    },
  );

  it.each([
    ['an event of another tenant', 'an event that does not exist', 'a key to read, of another tenant'],
    ['an event of another tenant', 'an event that does not exist', 'support of another tenant'],
    ['a revoked key', 'an unknown key', undefined],
  ])('%s takes as long as %s', async (one, other, reader) => {
    const callerNamed = (name: string): TestCaller => {
      const caller = callers.find((candidate) => candidate.name === name);
      if (!caller) throw new Error(`there is no caller named ${name}`);
      return caller;
    };
    const read = async (what: string): Promise<number> => {
      const id = what === 'an event of another tenant' ? victim.eventId : UNKNOWN_ID;
      const { headers } = callerNamed(reader ?? what);
      const startedMs = performance.now();
      await call(`${api.url}/v1/events/${id}`, { headers });
      return performance.now() - startedMs;
    };
    const times = { one: [] as number[], other: [] as number[] };
    for (let n = 0; n < 300; n++) {
      times.one.push(await read(one));
      times.other.push(await read(other));
    }
    const ratio = medianOf(times.one) / medianOf(times.other);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });

  it.each(operations)(
    '$method $route: no request shows another tenant or is a 5xx',
    async ({ method, route, operation }) => {
      const some = fc.constantFrom(...callers.filter(({ seesVictim }) => !seesVictim));
      await fc.assert(
        fc.asyncProperty(requestsOf(route, operation, document), some, async (request, caller) => {
          const target = aimed(request.path, victim);
          const body = request.body === undefined ? undefined : aimed(request.body, victim);
          const headers = { ...request.headers, ...caller.headers };
          if (request.headers['x-tenant-id'] !== undefined) headers['x-tenant-id'] = VICTIM;
          const answer = await call(`${api.url}${target}`, { method, headers, body });
          if (answer.status >= 500) throw new Error(`${answer.status} for ${caller.name}: ${answer.text}`);
          if (!`${target}${body ?? ''}`.includes(victim.eventId)) expectNothingOf(victim, answer.text);
        }),
        { numRuns: 60, interruptAfterTimeLimit: 5_000 },
      );
    },
  );
});

const medianOf = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

const isOperatorToken = ({ headers }: TestCaller): boolean =>
  headers['x-admin-token'] !== undefined || String(headers.authorization).startsWith('Bearer sfa_');

function bodyOf(operation: Operation): { type: string; text: string } | undefined {
  if (operation.operationId === 'ingestEvent') return { type: 'application/json', text: JSON.stringify(EVENT) };
  if (operation.operationId === 'ingestStream') return { type: 'application/x-ndjson', text: JSON.stringify(EVENT) };
  if (!operation.requestBody) return undefined;
  return { type: 'application/json', text: JSON.stringify(validBodyOf(operation, VICTIM)) };
}

/** The examples of the document name the tenant `demo` and an id. Aims them at the victim. */
function aimed(text: string, { eventId }: VictimData): string {
  return text.replaceAll('demo', VICTIM).replaceAll('01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', eventId);
}

/** A problem may quote what the request itself has sent: the tenant's name. */
function expectNothingOf(victim: VictimData, text: string): void {
  const quoted = text.replace(/"(?:detail|message|pointer)":"[^"]*"/g, '');
  for (const secret of [`${VICTIM} `, `"${VICTIM}"`, `${VICTIM}.`, ...Object.values<string>({ ...victim })]) {
    expect(quoted.includes(secret) ? quoted : '').toBe('');
  }
}

/** All that a caller sees of an answer, apart from what differs between any two requests. */
function comparable({ status, headers, text }: Answer<unknown>): object {
  const changing = ['date', 'x-correlation-id', 'ratelimit-remaining', 'ratelimit-reset'];
  const shown = Object.entries(headers).filter(([name]) => !changing.includes(name));
  return { status, shown, text: text.replaceAll(String(headers['x-correlation-id']), '') };
}
