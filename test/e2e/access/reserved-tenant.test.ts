import { admin } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { givenKey, heedAccess } from '../../support/credentials';
import { givenDestinationRow } from '../../support/deliveries';
import { call, postEvent, type ProblemAnswer } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { countRows, givenEvents } from '../../support/rows';
import { givenSource, type GivenSource } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

const TENANT = 'streamforge';
const OPERATOR_EVENT = { id: 'forged', type: 'destination.failing', subject: 's', payload: { state: 'raised' } };

describe('a tenant that was called streamforge before an upgrade', () => {
  const api = useApp({ APP_ROLE: 'api', DESTINATIONS_ALLOW_PRIVATE: 'true' });
  let source: GivenSource;
  let key: string;
  let keyId: string;
  let destinationId: string;
  beforeAll(async () => {
    await api.pool.query(`insert into tenants (id, name, status) values ($1, 'Forge', 'active')`, [TENANT]);
    source = await givenSource(api.app, api.pool, {
      tenantId: TENANT,
      verification: SIGNED_BODY,
      secrets: [WEBHOOK_SECRET],
      mapping: { eventType: '/type', subject: '/subject', eventId: '/id', payload: '/payload' },
    });
    ({ id: keyId, text: key } = await givenKey(api.pool, { tenantId: TENANT }));
    heedAccess(api.app);
    destinationId = await givenDestinationRow(api.pool, { tenantId: TENANT });
    await givenEvents(api.pool, 1, { source: 'erp' }, TENANT);
  });

  const findings = async (): Promise<string[]> => {
    const { body } = await admin<{ findings: { what: string; sentence: string }[] }>(api.url, 'health');
    return body.findings.flatMap(({ what, sentence }) => (what === 'tenant' ? [sentence] : []));
  };

  it('takes no events: neither by its name, nor by a key, nor by a source', async () => {
    const before = await countRows(api.pool, 'events');
    const body = JSON.stringify({ eventType: 'destination.failing', subject: 's', payload: {} });
    for (const headers of [{}, { authorization: `Bearer ${key}` }]) {
      const { status, text } = await postEvent(api.url, TENANT, body, headers);
      expect([status, (JSON.parse(text) as ProblemAnswer).code]).toEqual([403, 'tenant-reserved']);
    }
    const webhook = await sendWebhook(api.url + source.path, JSON.stringify(OPERATOR_EVENT));
    expect(webhook.status).toBe(503);
    expect(webhook.headers['retry-after']).toBeDefined();
    expect(webhook.body.detail).toContain('reserved');
    expect(await countRows(api.pool, 'events')).toBe(before);
  });

  it('shows operators what it had, and names it until it is gone', async () => {
    const listed = async (what: string) => (await admin<object>(api.url, `${what}?tenantId=${TENANT}`)).text;
    expect(await listed('destinations')).toContain(destinationId);
    expect(await listed('sources')).toContain(source.row.id);
    expect(await listed('events')).toContain('"source":"erp"');
    expect(await findings()).toEqual([
      expect.stringContaining('has sources (1), API keys (1), events of producers of before'),
    ]);
    const remove = (path: string) =>
      call(`${api.url}/v1/admin/${path}`, { method: 'DELETE', headers: { 'x-admin-token': ADMIN_TOKEN } });
    expect((await remove(`sources/${source.row.id}`)).status).toBe(204);
    expect((await remove(`tenants/${TENANT}/keys/${keyId}`)).status).toBe(204);
    await api.pool.query('delete from events where tenant_id = $1', [TENANT]); // as retention does
    expect(await findings()).toEqual([]);
  });
});
