import type { OutgoingHttpHeaders } from 'node:http';
import { mintCredential } from '../../../src/access/identity/credential';
import { createdKey, createdOperator } from '../../support/access/access-admin';
import { call } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { useApp } from '../../support/fixtures/app';

const ACCEPTED = 202;
type Outcome = typeof ACCEPTED | string;

/** What is sent to POST /v1/events, and the code of the problem for each TENANT_AUTH, or 202. */
const CASES: [sent: string, header: Outcome, key: Outcome, both: Outcome][] = [
  ['nothing', 'tenant-required', 'api-key-missing', 'tenant-required'],
  ['tenant', ACCEPTED, 'api-key-missing', ACCEPTED],
  ['malformed tenant', 'tenant-invalid', 'api-key-missing', 'tenant-invalid'],
  ['key', ACCEPTED, ACCEPTED, ACCEPTED],
  ['key in X-Api-Key', ACCEPTED, ACCEPTED, ACCEPTED],
  ['key in both', ACCEPTED, ACCEPTED, ACCEPTED],
  ['two keys', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['two keys and tenant', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['key and tenant', ACCEPTED, ACCEPTED, ACCEPTED],
  ['key and another tenant', 'tenant-mismatch', 'tenant-mismatch', 'tenant-mismatch'],
  ['key and malformed tenant', 'tenant-mismatch', 'tenant-mismatch', 'tenant-mismatch'],
  ['mistyped key and tenant', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['unknown key and tenant', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['operator token', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['operator token and tenant', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['password of a proxy', 'tenant-required', 'api-key-invalid', 'tenant-required'],
  ['password of a proxy and tenant', ACCEPTED, 'api-key-invalid', ACCEPTED],
  ['JWT of a proxy and tenant', ACCEPTED, 'api-key-invalid', ACCEPTED],
  ['password of a proxy and key in X-Api-Key', ACCEPTED, ACCEPTED, ACCEPTED],
  ['garbage in X-Api-Key and tenant', 'api-key-invalid', 'api-key-invalid', 'api-key-invalid'],
  ['reserved tenant', 'tenant-reserved', 'api-key-missing', 'tenant-reserved'],
];

describe.each(['header', 'key', 'both'] as const)('with TENANT_AUTH=%s', (mode) => {
  const api = useApp({ APP_ROLE: 'api', TENANT_AUTH: mode });
  const sent: Record<string, OutgoingHttpHeaders> = {};
  beforeAll(async () => {
    if (mode === 'key') {
      await api.pool.query(`insert into tenants (id, name) values ('acme', 'Acme')`);
    }
    const key = (await createdKey(api.url, 'acme')).key;
    const second = (await createdKey(api.url, 'acme')).key;
    const { token } = await createdOperator(api.url, { role: 'owner' });
    Object.assign(sent, headersOf({ key, second, token }));
  });

  const outcomes = CASES.map(([name, header, key, both]) => [name, { header, key, both }[mode]] as const);
  it.each(outcomes)('%s: %s', async (name, outcome) => {
    const headers = { 'content-type': 'application/json', ...sent[name] };
    const body = JSON.stringify(eventBody());
    const answer = await call<{ code?: string }>(`${api.url}/v1/events`, { method: 'POST', headers, body });
    expect([name, answer.body.code ?? answer.status]).toEqual([name, outcome]);
    if (String(outcome).startsWith('api-key')) expect(answer.headers['www-authenticate']).toBe('Bearer');
    // A stream and a read are admitted and refused likewise.
    const stream = await call<{ code?: string }>(`${api.url}/v1/ingest/stream`, {
      method: 'POST',
      headers: { ...sent[name], 'content-type': 'application/x-ndjson' },
      body: `${body}\n`,
    });
    expect([name, stream.body.code ?? stream.status]).toEqual([name, outcome]);
    if (name.startsWith('operator')) return; // who may read without being a tenant
    const read = await call<{ code?: string }>(`${api.url}/v1/events/none`, { headers: sent[name] });
    expect([name, read.body.code]).toEqual([name, outcome === ACCEPTED ? 'event-not-found' : outcome]);
  });
});

function headersOf({ key, second, token }: { key: string; second: string; token: string }) {
  const tenant = { 'x-tenant-id': 'acme' };
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  const basic = { authorization: 'Basic cHJveHk6c2VjcmV0' };
  return {
    nothing: {},
    tenant,
    'malformed tenant': { 'x-tenant-id': 'no spaces' },
    key: bearer(key),
    'key in X-Api-Key': { 'x-api-key': key },
    'key in both': { ...bearer(key), 'x-api-key': key },
    'two keys': { ...bearer(key), 'x-api-key': second },
    'two keys and tenant': { ...bearer(key), 'x-api-key': second, ...tenant },
    'key and tenant': { ...bearer(key), ...tenant },
    'key and another tenant': { ...bearer(key), 'x-tenant-id': 'other' },
    'key and malformed tenant': { ...bearer(key), 'x-tenant-id': 'acme, acme' },
    'mistyped key and tenant': { ...bearer(`${key.slice(0, -1)}-`), ...tenant },
    'unknown key and tenant': { ...bearer(mintCredential('sfk').text), ...tenant },
    'operator token': bearer(token),
    'operator token and tenant': { ...bearer(token), ...tenant },
    'password of a proxy': basic,
    'password of a proxy and tenant': { ...basic, ...tenant },
    'JWT of a proxy and tenant': { ...bearer('eyJhbGciOiJub25lIn0.e30.'), ...tenant },
    'password of a proxy and key in X-Api-Key': { ...basic, 'x-api-key': key },
    'garbage in X-Api-Key and tenant': { 'x-api-key': 'garbage', ...tenant },
    'reserved tenant': { 'x-tenant-id': 'streamforge' },
  };
}
