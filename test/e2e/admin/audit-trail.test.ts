import { admin, givenDeadLetters, type AuditPage } from '../../support/admin';
import { givenOperator, heedAccess, type OperatorFields } from '../../support/credentials';
import { call } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { givenDestination } from '../../support/receivers/destinations';
import { countRows } from '../../support/rows';
import { recordSystemAction } from '../../../src/audit/system-actions.queries';

interface Acted {
  actionId: string;
  matched: number;
}

describe('the audit trail', () => {
  const api = useApp({ APP_ROLE: 'api', DESTINATIONS_ALLOW_PRIVATE: 'true' });
  const operator = async (fields: OperatorFields) => {
    const given = await givenOperator(api.pool, fields);
    heedAccess(api.app);
    return given;
  };
  const as = (token: string) => ({ 'x-admin-token': token });
  const newestEntry = async (token?: string) => {
    const headers = token === undefined ? {} : as(token);
    return (await admin<AuditPage>(api.url, 'audit?limit=1', undefined, headers)).body.entries[0];
  };

  it('names the operator, the role and the address of a change', async () => {
    const { name, text } = await operator({ role: 'support' });
    await givenDeadLetters(api.pool, 1, { tenantId: 'acme' });
    await admin(api.url, 'dlq/discard', { tenantId: 'acme' }, as(text));
    expect(await newestEntry()).toMatchObject({
      actor: name,
      role: 'support',
      address: '127.0.0.1',
      action: 'dlq.discard',
      counts: { matched: 1, discarded: 1 },
    });
  });

  it('names ADMIN_TOKEN admin, with the role owner', async () => {
    await admin(api.url, 'dlq/retry', { tenantId: 'acme' });
    expect(await newestEntry()).toMatchObject({ actor: 'admin', role: 'owner', address: '127.0.0.1' });
  });

  it('names neither role nor address of what StreamForge did by itself', async () => {
    const entry = { action: 'destination.disable', filter: {}, counts: {}, note: 'it is gone' } as const;
    await recordSystemAction(api.pool, entry);
    expect(await newestEntry()).toMatchObject({ actor: 'streamforge', role: null, address: null });
  });

  it('names the operator who started a replay, also in the replay', async () => {
    const { name, text } = await operator({ role: 'operator' });
    const order = { tenantId: 'nobody', mode: 'reprocess' };
    const { replayId } = (await admin<{ replayId: string }>(api.url, 'replay', order, as(text))).body;
    expect((await admin(api.url, `replays/${replayId}`)).body).toMatchObject({ requestedBy: name });
    expect(await newestEntry()).toMatchObject({ id: replayId, actor: name, role: 'operator' });
  });

  it('shows an operator who is bound to tenants the changes that were limited to them', async () => {
    const one = (await operator({ role: 'viewer', tenantIds: ['blue'] })).text;
    const both = (await operator({ role: 'support', tenantIds: ['blue', 'green'] })).text;
    const discard = async (body: object, token?: string) =>
      (await admin<Acted>(api.url, 'dlq/discard', body, token === undefined ? {} : as(token))).body.actionId;
    const ofBlue = await discard({ tenantId: 'blue' });
    const ofGreen = await discard({ tenantId: 'green' });
    const ofBoth = await discard({ all: true }, both);
    const outside = await discard({ tenantId: 'red' }, both);
    const byType = await discard({ type: 'order.*' });
    const shown = async (token: string) => {
      const { entries } = (await admin<AuditPage>(api.url, 'audit', undefined, as(token))).body;
      return entries.map(({ id }) => id);
    };
    expect(await shown(one)).toEqual([ofBlue]);
    expect(await shown(both)).toEqual([outside, ofBoth, ofGreen, ofBlue]);
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=5')).body;
    expect(entries.map(({ id }) => id)).toEqual([byType, outside, ofBoth, ofGreen, ofBlue]);
  });

  it('limits the changes of a destination to its tenant', async () => {
    const { text } = await operator({ role: 'viewer', tenantIds: ['shop'] });
    const { id } = await givenDestination(api.url, { tenantId: 'shop', url: 'http://127.0.0.1:9/' });
    expect(await newestEntry(text)).toMatchObject({ action: 'destination.create', filter: { id } });
    const url = `${api.url}/v1/admin/destinations/${id}`;
    const token = (await operator({ role: 'operator', tenantIds: ['shop'] })).text;
    const headers = { ...as(token), 'content-type': 'application/json' };
    await call(url, { method: 'PATCH', headers, body: '{"enabled":false}' });
    expect(await newestEntry(text)).toMatchObject({ action: 'destination.change' });
    await call(`${url}/rotate-secret`, { method: 'POST', headers: as(token) });
    expect(await newestEntry(text)).toMatchObject({ action: 'destination.rotate-secret' });
    await call(url, { method: 'DELETE', headers: as(token) });
    expect(await newestEntry(text)).toMatchObject({ action: 'destination.delete' });
  });

  describe('the list', () => {
    const idsOf = async (query: string, token?: string) => {
      const headers = token === undefined ? {} : as(token);
      const { body } = await admin<AuditPage>(api.url, `audit?${query}`, undefined, headers);
      return body.entries.map(({ id }) => id);
    };
    const act = async (path: string, body: object, token?: string) =>
      (await admin<Acted>(api.url, path, body, token === undefined ? {} : as(token))).body.actionId;

    it('is filtered by operator, action, tenant and time', async () => {
      const ada = await operator({ role: 'support', name: 'ada', tenantIds: ['lime', 'plum'] });
      const before = new Date().toISOString();
      const retried = await act('dlq/retry', { tenantId: 'lime' }, ada.text);
      const discarded = await act('dlq/discard', { all: true }, ada.text);
      const byAdmin = await act('deliveries/retry', { tenantId: 'plum' });
      expect(await idsOf('actor=ada')).toEqual([discarded, retried]);
      expect(await idsOf(`actor=ada&action=dlq.retry`)).toEqual([retried]);
      expect(await idsOf(`actor=ada&action=dlq.*`)).toEqual([discarded, retried]);
      expect(await idsOf('tenantId=lime')).toEqual([discarded, retried]);
      expect(await idsOf('tenantId=plum')).toEqual([byAdmin, discarded]);
      expect(await idsOf(`from=${before}`)).toEqual([byAdmin, discarded, retried]);
      expect(await idsOf(`actor=ada&to=${before}`)).toEqual([]);
      expect(await idsOf('tenantId=lime&limit=1')).toEqual([discarded]);
    });

    it('shows an operator who is bound to tenants nothing of another tenant, whatever is asked for', async () => {
      const { text } = await operator({ role: 'viewer', tenantIds: ['mint'] });
      await act('dlq/retry', { tenantId: 'rose' });
      expect(await idsOf('tenantId=rose', text)).toEqual([]);
      expect(await idsOf('actor=admin', text)).toEqual([]);
      const ofMint = await act('dlq/retry', { tenantId: 'mint' });
      expect(await idsOf('tenantId=mint', text)).toEqual([ofMint]);
    });

    it('looks through a bounded number of entries, and goes on below them', async () => {
      const rare = await act('dlq/retry', { tenantId: 'rare' });
      await api.pool.query(
        `insert into admin_audit (id, actor, action, filter, counts, correlation_id)
         select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
                 || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid, 'robot', 'dlq.retry', '{}', '{}', 'c'
           from generate_series(1, 20000) n`,
      );
      const first = (await admin<AuditPage>(api.url, 'audit?tenantId=rare')).body;
      expect([first.entries, typeof first.nextCursor]).toEqual([[], 'string']);
      const second = (await admin<AuditPage>(api.url, `audit?tenantId=rare&cursor=${first.nextCursor}`)).body;
      expect([second.entries.map(({ id }) => id), second.nextCursor]).toEqual([[rare], null]);
      expect(await idsOf('actor=robot&limit=2')).toHaveLength(2);
    });

    it.each(['from=yesterday', 'from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z', 'actor=', 'cursor=x'])(
      'refuses %s',
      async (query) => {
        expect((await admin(api.url, `audit?${query}`)).status).toBe(400);
      },
    );
  });

  describe('an idempotency key', () => {
    const retry = (key: string, token: string) =>
      admin<Acted & { code?: string }>(api.url, 'dlq/retry', { all: true }, { ...as(token), 'idempotency-key': key });

    it('belongs to its operator: another one who sends it acts anew', async () => {
      const first = (await operator({ role: 'support' })).text;
      const second = (await operator({ role: 'support', tenantIds: ['blue'] })).text;
      const one = await retry('shared', first);
      const other = await retry('shared', second);
      expect([one.status, other.status, other.headers['idempotent-replayed']]).toEqual([202, 202, undefined]);
      expect(other.body.actionId).not.toBe(one.body.actionId);
      expect((await retry('shared', first)).body.actionId).toBe(one.body.actionId);
      expect(await countRows(api.pool, `admin_audit where action = 'dlq.retry' and filter ? 'all'`)).toBe(2);
    });

    it('is refused when the operator has been bound to other tenants since', async () => {
      const { id, text } = await operator({ role: 'support', tenantIds: ['blue', 'green'] });
      expect((await retry('moved', text)).status).toBe(202);
      await api.pool.query(`update operators set tenant_ids = '{blue}' where id = $1`, [id]);
      heedAccess(api.app);
      expect((await retry('moved', text)).body.code).toBe('idempotency-key-reused');
    });
  });
});
