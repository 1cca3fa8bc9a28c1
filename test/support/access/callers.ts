import type { OutgoingHttpHeaders } from 'node:http';
import type { Pool } from 'pg';
import { mintCredential } from '../../../src/access/identity/credential';
import { OPERATOR_ROLES, type OperatorRole } from '../../../src/access/identity/operator-roles';
import { givenKey, givenOperator, type GivenCredential } from '../credentials';

/** Somebody who sends a request, and what the answer may depend on. */
export interface TestCaller {
  name: string;
  headers: OutgoingHttpHeaders;
  /** Undefined: the credentials are no operator's, or not valid. */
  role?: OperatorRole;
  /** The scopes of a valid key. */
  scopes?: readonly string[];
  /** Whether the caller may see what belongs to the victim. */
  seesVictim: boolean;
  /** What the problem of an endpoint for tenants is, if the credentials are not valid there. */
  refusedAs?: 'api-key-missing' | 'api-key-invalid' | 'api-key-expired';
}

const PAST = new Date('2026-01-01T00:00:00Z');
const bearer = ({ text }: Pick<GivenCredential, 'text'>): OutgoingHttpHeaders => ({ authorization: `Bearer ${text}` });

/** Every kind of caller: without credentials, with wrong ones, with each scope, and with each role. */
export async function givenCallers(pool: Pool, victim: string, stranger: string): Promise<TestCaller[]> {
  return [
    { name: 'nobody', headers: {}, seesVictim: false, refusedAs: 'api-key-missing' },
    ...wrongOnes(),
    ...(await keys(pool, victim, stranger)),
    ...(await operators(pool, stranger)),
  ];
}

function wrongOnes(): TestCaller[] {
  const sent: [string, OutgoingHttpHeaders][] = [
    ['a mistyped key', { authorization: `Bearer ${mintCredential('sfk').text.slice(0, -1)}` }],
    ['an unknown key', { 'x-api-key': mintCredential('sfk').text }],
    ['an unknown operator', bearer(mintCredential('sfa'))],
    ['a password', { authorization: 'Basic dmljdGltOnZpY3RpbQ==' }],
    ['a JWT', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ2aWN0aW0ifQ.' }],
  ];
  return sent.map(([name, headers]) => ({ name, headers, seesVictim: false, refusedAs: 'api-key-invalid' }));
}

async function keys(pool: Pool, victim: string, stranger: string): Promise<TestCaller[]> {
  const revoked = await givenKey(pool, { tenantId: victim, revokedAt: PAST });
  const expired = await givenKey(pool, { tenantId: victim, expiresAt: PAST });
  const ingest = await givenKey(pool, { tenantId: stranger, scopes: ['ingest'] });
  const read = await givenKey(pool, { tenantId: stranger, scopes: ['read'] });
  const own = await givenKey(pool, { tenantId: victim });
  return [
    { name: 'a revoked key', headers: bearer(revoked), seesVictim: false, refusedAs: 'api-key-invalid' },
    { name: 'an expired key', headers: bearer(expired), seesVictim: false, refusedAs: 'api-key-expired' },
    { name: 'a key to ingest, of another tenant', headers: bearer(ingest), seesVictim: false, scopes: ['ingest'] },
    { name: 'a key to read, of another tenant', headers: bearer(read), seesVictim: false, scopes: ['read'] },
    { name: 'a key of the tenant', headers: bearer(own), seesVictim: true, scopes: ['ingest', 'read'] },
  ];
}

async function operators(pool: Pool, stranger: string): Promise<TestCaller[]> {
  const revoked = await givenOperator(pool, { role: 'owner', revokedAt: PAST });
  const expired = await givenOperator(pool, { role: 'owner', expiresAt: PAST });
  const gone: TestCaller[] = [
    { name: 'a revoked operator', headers: bearer(revoked), seesVictim: false, refusedAs: 'api-key-invalid' },
    { name: 'an expired operator', headers: bearer(expired), seesVictim: false, refusedAs: 'api-key-invalid' },
  ];
  const live: TestCaller[] = [];
  for (const role of OPERATOR_ROLES) {
    const bound = await givenOperator(pool, { role, tenantIds: [stranger] });
    const free = await givenOperator(pool, { role });
    live.push(
      { name: `${role} of another tenant`, headers: bearer(bound), role, seesVictim: false },
      { name: role, headers: { 'x-admin-token': free.text }, role, seesVictim: true },
    );
  }
  return [...gone, ...live];
}
