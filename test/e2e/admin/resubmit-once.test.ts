import type { Pool } from 'pg';
import { inTransaction } from '../../../src/db/pool';
import { ask, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { startTestApp, type TestApp } from '../../support/app';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { replaced, resubmit, type Resubmitted } from '../../support/resubmit';
import { rejectionsOf } from '../../support/rejections';
import { TestCluster } from '../../support/processes/e2e-cluster';

const OPEN = { verification: { scheme: 'none' }, allowUnverified: true };
const JSON_BODY = { 'content-type': 'application/json' };
const line = (fields: object): string => JSON.stringify({ eventType: 'sale', subject: '', payload: 1, ...fields });
const lines = (count: number, fields: (i: number) => object): string =>
  Array.from({ length: count }, (_, i) => line(fields(i))).join('\n');

async function eventIds(pool: Pool, tenantId: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('select id from events where tenant_id = $1 order by id', [
    tenantId,
  ]);
  return rows.map(({ id }) => id);
}

/** Resubmits until nothing is pending: on a busy machine, an operator may have to wait for too many others. */
async function resubmitAll(url: string, body: object): Promise<Resubmitted> {
  return eventually(async () => {
    const answer = await resubmit(url, body);
    expect(answer.pending).toBe(0);
    return answer;
  });
}

/** Expects that all rejections are settled, and that each has an event, and each event of theirs a rejection. */
async function expectEachOnce(pool: Pool, tenantId: string, count: number): Promise<void> {
  const kept = await rejectionsOf(pool, tenantId);
  expect(kept.map(({ status }) => status)).toEqual(Array(count).fill('RESUBMITTED'));
  const ids = await eventIds(pool, tenantId);
  expect(ids).toHaveLength(count);
  expect(kept.map(({ eventId }) => eventId).sort()).toEqual(ids);
}

describe('a rejection becomes exactly one event', () => {
  const api = useApp({ APP_ROLE: 'api', MAX_EVENT_BYTES: '2048' });
  let other: TestApp;
  beforeAll(async () => {
    other = await startTestApp(api.databaseUrl, { APP_ROLE: 'api', MAX_EVENT_BYTES: '8192' });
  });
  afterAll(() => other.close());
  /** The url of one of two processes. */
  const urlOf = (i: number): string => (i % 2 === 0 ? api.url : other.url);

  it('although many operators resubmit it at once, each with a patch of their own, and twice', async () => {
    const tenantId = 'many';
    await postStream(
      api.url,
      tenantId,
      lines(250, (i) => ({ payload: i })),
    );
    const operate = async (i: number): Promise<Resubmitted[]> => {
      const patch = [replaced('/subject', `operator-${i}`)];
      return [await resubmit(urlOf(i), { tenantId, patch }), await resubmit(urlOf(i), { tenantId, patch })];
    };
    const answers = (await Promise.all([0, 1, 2, 3, 4, 5].map(operate))).flat();
    answers.push(await resubmitAll(api.url, { tenantId, patch: [replaced('/subject', 'last')] }));
    await expectEachOnce(api.pool, tenantId, 250);
    expect(answers.reduce((sum, { resubmitted }) => sum + resubmitted, 0)).toBe(250);
    for (const { matched, resubmitted, duplicates, rejected, skipped, pending } of answers) {
      expect(resubmitted + duplicates + rejected + skipped + pending).toBe(matched);
    }
  });

  it.each([
    ['by its eventId', {}, (i: number) => ({ eventId: `e-${i}` })],
    ['by the idempotency key of the upload', { 'idempotency-key': 'upload' }, (i: number) => ({ payload: i })],
  ])('although the producer sends the mended record at the same time, known %s', async (name, headers, fields) => {
    const tenantId = `resend-${name.length}`;
    await postStream(api.url, tenantId, lines(150, fields), headers);
    const mended = lines(150, (i) => ({ ...fields(i), subject: 'mended' }));
    const patch = [replaced('/subject', 'mended')];
    const [, , sent] = await Promise.all([
      resubmit(api.url, { tenantId, patch }),
      resubmit(other.url, { tenantId, patch }),
      postStream(other.url, tenantId, mended, headers),
    ]);
    expect(sent.body.summary).toMatchObject({ records: 150, rejected: 0 });
    await resubmitAll(api.url, { tenantId, patch });
    await expectEachOnce(api.pool, tenantId, 150);
    const again = await postStream(api.url, tenantId, mended, headers);
    expect(again.body.summary).toMatchObject({ accepted: 0, duplicates: 150 });
  });

  it('although it is discarded at the same time: it is discarded, or it has its event', async () => {
    const tenantId = 'discarded';
    await postStream(
      api.url,
      tenantId,
      lines(200, (i) => ({ payload: i })),
    );
    const patch = [replaced('/subject', 's')];
    const discard = { body: { tenantId } };
    const [, discarded] = await Promise.all([
      resubmit(api.url, { tenantId, patch }),
      expectStatus(202, ask<{ discarded: number }>(other.url, 'POST', 'rejections/discard', discard)),
    ]);
    const kept = await rejectionsOf(api.pool, tenantId);
    const settled = kept.filter(({ status }) => status === 'RESUBMITTED');
    expect(kept.filter(({ status }) => status === 'DISCARDED')).toHaveLength(discarded.discarded);
    expect(settled.map(({ eventId }) => eventId).sort()).toEqual(await eventIds(api.pool, tenantId));
  });

  it('leaves a rejection to the operator who is changing it, and counts it as skipped', async () => {
    const tenantId = 'changing';
    await postStream(
      api.url,
      tenantId,
      lines(2, (i) => ({ payload: i })),
    );
    const [first] = await rejectionsOf(api.pool, tenantId);
    await inTransaction(api.pool, async (db) => {
      await db.query('select from rejections where id = $1 for no key update', [first?.id]);
      const patch = [replaced('/subject', 's')];
      expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ matched: 2, resubmitted: 1, skipped: 1 });
    });
    expect(await rejectionsOf(api.pool, tenantId)).toMatchObject([{ status: 'OPEN' }, { status: 'RESUBMITTED' }]);
  });

  it('after the mapping of its source was changed, also beside the resend of its provider', async () => {
    const tenantId = 'mapped';
    const mapping = { records: '/all', eventType: '/type', subject: '/subject', eventId: '/id' };
    const source = await createdSource(api.url, { tenantId, mapping, ...OPEN });
    const all = Array.from({ length: 60 }, (_, id) => ({ type: 'sale', id, about: `order-${id}` }));
    const send = () =>
      call<{ summary: object }>(source.url, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ all }) });
    expect((await send()).body.summary).toMatchObject({ rejected: 60 });
    const body = { mapping: { ...mapping, subject: '/about' } };
    await expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body }));
    await Promise.all([0, 1, 2].map((i) => resubmit(urlOf(i), { sourceId: source.id })));
    await Promise.all([send(), resubmit(other.url, { tenantId })]);
    await resubmitAll(api.url, { tenantId });
    await expectEachOnce(api.pool, tenantId, 60);
    expect((await send()).body.summary).toMatchObject({ accepted: 0, duplicates: 60 });
  });

  it('although some operators patch it while others resubmit it as it is', async () => {
    const tenantId = 'mixed';
    const mapping = { records: '/all', eventType: '/type', subject: '/subject' };
    const source = await createdSource(api.url, { tenantId, mapping, ...OPEN });
    const all = Array.from({ length: 120 }, (_, i) => ({ type: 'sale', about: `order-${i}` }));
    await call(source.url, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ all }) });
    const body = { mapping: { ...mapping, subject: '/about' } };
    await expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body }));
    const patch = [{ op: 'add', path: '/note', value: 'mended' }];
    await Promise.all([0, 1, 2, 3].map((i) => resubmit(urlOf(i), { tenantId, ...(i % 2 === 0 ? {} : { patch }) })));
    await resubmitAll(api.url, { tenantId });
    await expectEachOnce(api.pool, tenantId, 120);
  });

  it('after MAX_EVENT_BYTES was raised', async () => {
    const tenantId = 'raised';
    const mapping = { eventType: '/type', subject: '/id', payload: '{ "once": text, "twice": text }' };
    const source = await createdSource(api.url, { tenantId, mapping, ...OPEN });
    const body = JSON.stringify({ type: 'sale', id: '1', text: 'x'.repeat(1_500) });
    const send = (url: string) =>
      call<{ status: string }>(source.url.replace(new URL(source.url).origin, url), {
        method: 'POST',
        headers: JSON_BODY,
        body,
      });
    await send(api.url);
    expect(await rejectionsOf(api.pool, tenantId)).toMatchObject([{ code: 'event-too-large' }]);
    expect(await resubmit(api.url, { tenantId })).toMatchObject({ rejectedByCode: { 'event-too-large': 1 } });
    await Promise.all([0, 1, 2].map(() => resubmit(other.url, { tenantId })));
    await expectEachOnce(api.pool, tenantId, 1);
    expect((await send(other.url)).body.status).toBe('duplicate');
  });

  it('whose event was stored before a crash, when it is resubmitted again', async () => {
    const tenantId = 'stored';
    const fixed = line({ eventId: 'x', subject: 's' });
    await postEvent(api.url, tenantId, line({ eventId: 'x' }));
    await postEvent(api.url, tenantId, fixed);
    const patch = [replaced('/subject', 's')];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ resubmitted: 0, duplicates: 1 });
    await expectEachOnce(api.pool, tenantId, 1);
  });
});

describe('an api process that is killed between storing the events and settling the rejections', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create();
  }, 120_000);
  afterAll(() => cluster.drop());

  it('leaves rejections open; the next resubmission finds their events, and makes none twice', async () => {
    const tenantId = 'killed';
    const { pool } = cluster;
    const killed = await cluster.start('api');
    await postStream(
      killed.url,
      tenantId,
      lines(250, (i) => ({ payload: i })),
    );
    const patch = [replaced('/subject', 's')];
    expect(await resubmit(killed.url, { tenantId, patch, limit: 50 })).toMatchObject({ resubmitted: 50 });

    const locker = await pool.connect();
    // Rejections can be read and their rows locked, but not changed.
    await locker.query('begin; lock table rejections in share row exclusive mode');
    const request = resubmit(killed.url, { tenantId, patch }).catch((error: unknown) => error);
    await eventually(async () => expect((await eventIds(pool, tenantId)).length).toBe(150));
    await killed.end('SIGKILL');
    await request;
    await locker.query('commit');
    locker.release();

    const half = await rejectionsOf(pool, tenantId);
    expect(half.filter(({ status }) => status === 'OPEN')).toHaveLength(200);
    const restarted = await cluster.start('api');
    const [actions] = (await pool.query<{ counts: object }>(`select counts from admin_audit order by id desc limit 1`))
      .rows;
    expect(actions?.counts).toMatchObject({ matched: 200, resubmitted: 0, pending: 200 });
    const second = await resubmitAll(restarted.url, { tenantId, patch: [replaced('/subject', 'another')] });
    expect(second).toMatchObject({ matched: 200, resubmitted: 100, duplicates: 100, rejected: 0 });
    await expectEachOnce(pool, tenantId, 250);
  }, 180_000);
});
