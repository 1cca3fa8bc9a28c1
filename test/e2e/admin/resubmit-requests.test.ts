import type { Pool } from 'pg';
import { Intake } from '../../../src/ingest/store/intake';
import { ask, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { call } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { replaced, resubmit } from '../../support/resubmit';
import { rejectionsOf } from '../../support/rejections';

const OPEN = { verification: { scheme: 'none' }, allowUnverified: true };
const JSON_BODY = { 'content-type': 'application/json' };
const MAPPING = { records: '/list', eventType: '/type', subject: '/id', eventId: '/id' };

interface Sale {
  type: string;
  id: string;
}
const sales = (name: string, count: number): Sale[] =>
  Array.from({ length: count }, (_, i) => ({ type: 'sale', id: `${name}-${i}` }));

async function subjectsOf(pool: Pool, tenantId: string): Promise<string[]> {
  const { rows } = await pool.query<{ subject: string }>(
    'select subject from events where tenant_id = $1 order by subject',
    [tenantId],
  );
  return rows.map(({ subject }) => subject);
}

describe('resubmitting whole requests of a source', () => {
  const api = useApp({ APP_ROLE: 'api' });

  /** A source that refuses requests whose records are in `all`, until its mapping is changed. */
  async function sourceOf(tenantId: string) {
    const source = await createdSource(api.url, { tenantId, mapping: MAPPING, ...OPEN });
    const send = (body: object) => call(source.url, { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) });
    const mend = () => {
      const body = { mapping: { ...MAPPING, records: '/all' } };
      return expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body }));
    };
    return { send, mend };
  }

  it('stores no more than 500 of their events at a time, and ends a part at 1,000', async () => {
    const tenantId = 'large';
    const { send, mend } = await sourceOf(tenantId);
    for (const name of ['a', 'b', 'c']) await send({ all: sales(name, 600) });
    await mend();
    expect(await resubmit(api.url, { tenantId, dryRun: true })).toMatchObject({ resubmitted: 3, pending: 0 });
    const acceptAll = jest.spyOn(api.app.get(Intake), 'acceptAll');
    expect(await resubmit(api.url, { tenantId })).toMatchObject({ matched: 3, resubmitted: 3, pending: 0 });
    expect(acceptAll.mock.calls.map(([events]) => events.length)).toEqual([500, 500, 200, 500, 100]);
    expect(await subjectsOf(api.pool, tenantId)).toHaveLength(1_800);
  });

  it('stores none of their records if one would be refused', async () => {
    const tenantId = 'refused';
    const { send, mend } = await sourceOf(tenantId);
    await send({ list: [{ type: 'sale', id: 'taken' }] });
    await send({ all: [...sales('first', 1), { type: 'refund', id: 'taken' }, ...sales('last', 1)] });
    await send({ all: sales('other', 2) });
    await mend();
    const expected = { matched: 2, resubmitted: 1, rejected: 1, rejectedByCode: { 'event-id-conflict': 1 } };
    expect(await resubmit(api.url, { tenantId, dryRun: true })).toMatchObject(expected);
    expect(await resubmit(api.url, { tenantId })).toMatchObject(expected);
    expect(await subjectsOf(api.pool, tenantId)).toEqual(['other-0', 'other-1', 'taken']);

    const patch = [replaced('/all/1/id', 'free'), replaced('/all/0/id', 'changed')];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ matched: 1, resubmitted: 1 });
    expect(await subjectsOf(api.pool, tenantId)).toEqual(['changed', 'free', 'last-0', 'other-0', 'other-1', 'taken']);
    expect((await rejectionsOf(api.pool, tenantId)).map(({ status }) => status)).toEqual([
      'RESUBMITTED',
      'RESUBMITTED',
    ]);
  });
});
