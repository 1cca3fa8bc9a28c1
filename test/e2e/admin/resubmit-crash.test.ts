import type { Pool } from 'pg';
import { ask, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { call, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { replaced, resubmit, type Resubmitted } from '../../support/resubmit';
import { rejectionsOf } from '../../support/rejections';
import { TestCluster } from '../../support/processes/e2e-cluster';

const OPEN = { verification: { scheme: 'none' }, allowUnverified: true };
const JSON_BODY = { 'content-type': 'application/json' };
const MAPPING = { records: '/all', eventType: '/type', subject: '/subject' };
/** Changes each record, so that it gets another key than without a patch. */
const NOTE = [{ op: 'add', path: '/note', value: 'mended' }];

async function eventsOf(pool: Pool, tenantId: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('select id from events where tenant_id = $1 order by id', [
    tenantId,
  ]);
  return rows.map(({ id }) => id);
}

/** A source that has refused `count` records, and takes them since its mapping was mended. */
async function givenRefused(url: string, tenantId: string, count: number, mapping: object = MAPPING): Promise<void> {
  const source = await createdSource(url, { tenantId, mapping, ...OPEN });
  const all = Array.from({ length: count }, (_, i) => ({ type: 'sale', about: `order-${i}` }));
  const body = JSON.stringify({ all });
  const { status } = await call(source.url, { method: 'POST', headers: JSON_BODY, body });
  expect(status).toBe(200);
  const mended = { mapping: { ...mapping, subject: '/about' } };
  await expectStatus(200, ask(url, 'PATCH', `sources/${source.id}`, { body: mended }));
}

async function expectEachOnce(pool: Pool, tenantId: string, ids: readonly string[]): Promise<void> {
  expect(await eventsOf(pool, tenantId)).toEqual(ids);
  const kept = await rejectionsOf(pool, tenantId);
  expect(kept.map(({ status, duplicate }) => [status, duplicate])).toEqual(ids.map(() => ['RESUBMITTED', false]));
  expect(kept.map(({ eventId }) => eventId).sort()).toEqual(ids);
}

type Attempts = [what: string, first: object[] | undefined, second: object[] | undefined];
const ATTEMPTS: Attempts[] = [
  ['without a patch and then with one', undefined, NOTE],
  ['with a patch and then without one', NOTE, undefined],
  ['with two patches', NOTE, [replaced('/about', 'another order')]],
];
const nameOf = (what: string): string => what.replaceAll(' ', '-');

describe('a resubmission that breaks off between storing the events and settling the rejections', () => {
  const api = useApp({ APP_ROLE: 'api' });

  /** Resubmits while no rejection can be settled: what follows finds the same as after a crash. */
  async function brokenOff(body: object): Promise<Resubmitted> {
    await api.pool.query(
      `create function fail_to_settle() returns trigger language plpgsql as $$ begin raise exception 'a test'; end $$;
       create trigger fails before update on rejections for each row execute function fail_to_settle()`,
    );
    try {
      return await resubmit(api.url, body);
    } finally {
      await api.pool.query('drop function fail_to_settle cascade');
    }
  }

  it.each(ATTEMPTS)('makes one event of a record that is resubmitted %s', async (what, first, second) => {
    const tenantId = `records-${nameOf(what)}`;
    await givenRefused(api.url, tenantId, 5);
    const broken = await brokenOff({ tenantId, patch: first });
    expect(broken).toMatchObject({ matched: 5, resubmitted: 0, duplicates: 0, skipped: 0, pending: 5 });
    const ids = await eventsOf(api.pool, tenantId);
    expect(ids).toHaveLength(5);
    const again = { matched: 5, resubmitted: 0, duplicates: 5, pending: 0 };
    expect(await resubmit(api.url, { tenantId, patch: second, dryRun: true })).toMatchObject(again);
    expect(await resubmit(api.url, { tenantId, patch: second })).toMatchObject(again);
    await expectEachOnce(api.pool, tenantId, ids);
  });

  it.each(ATTEMPTS.slice(0, 2))(
    'makes one event of each record of a request that is resubmitted %s',
    async (what, first) => {
      const tenantId = `request-${nameOf(what)}`;
      const source = await createdSource(api.url, { tenantId, mapping: { ...MAPPING, records: '/list' }, ...OPEN });
      const all = ['a', 'b', 'c'].map((subject) => ({ type: 'sale', subject }));
      await call(source.url, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ all }) });
      const body = { mapping: MAPPING };
      await expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body }));
      const changed = [replaced('/all/0/subject', 'changed'), replaced('/all/2/subject', 'changed too')];
      const [one, other] = first === undefined ? [undefined, changed] : [changed, undefined];
      await brokenOff({ tenantId, patch: one });
      const ids = await eventsOf(api.pool, tenantId);
      expect(ids).toHaveLength(3);
      expect(await resubmit(api.url, { tenantId, patch: other })).toMatchObject({ resubmitted: 0, duplicates: 1 });
      expect(await eventsOf(api.pool, tenantId)).toEqual(ids);
      expect(await rejectionsOf(api.pool, tenantId)).toMatchObject([{ status: 'RESUBMITTED', duplicate: false }]);
    },
  );

  it('makes one event although another patch gives the record another id and another key', async () => {
    const tenantId = 'ids';
    const mapping = { ...MAPPING, eventId: '/id', idempotencyKey: '/key' };
    await givenRefused(api.url, tenantId, 2, mapping);
    const named = (name: string) => [
      { op: 'add', path: '/id', value: `id-${name}` },
      { op: 'add', path: '/key', value: `key-${name}` },
    ];
    await resubmit(api.url, { tenantId, patch: named('a'), limit: 1 });
    await brokenOff({ tenantId, patch: named('b') });
    const ids = await eventsOf(api.pool, tenantId);
    expect(ids).toHaveLength(2);
    expect(await resubmit(api.url, { tenantId, patch: named('c') })).toMatchObject({ duplicates: 1 });
    await expectEachOnce(api.pool, tenantId, ids);
  });

  it('makes one event although the mapping of the source changes in between', async () => {
    const tenantId = 'mapping';
    const mapping = { records: '/all', eventType: '/type', subject: '/subject' };
    const source = await createdSource(api.url, { tenantId, mapping, ...OPEN });
    const all = [{ type: 'sale', first: 'a', second: 'b' }];
    await call(source.url, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ all }) });
    const map = (subject: string) =>
      expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body: { mapping: { ...mapping, subject } } }));
    await map('/first');
    await brokenOff({ tenantId });
    await map('/second');
    const ids = await eventsOf(api.pool, tenantId);
    expect(await resubmit(api.url, { tenantId })).toMatchObject({ resubmitted: 0, duplicates: 1 });
    await expectEachOnce(api.pool, tenantId, ids);
  });

  it('says of a record that another one has made the event: it is a duplicate', async () => {
    const tenantId = 'duplicates';
    const record = JSON.stringify({ eventType: 'sale', subject: '', payload: 1 });
    await postStream(api.url, tenantId, [record, record].join('\n'));
    const patch = [replaced('/subject', 'mended')];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ resubmitted: 1, duplicates: 1 });
    const [first, second] = await rejectionsOf(api.pool, tenantId);
    expect([first?.duplicate, second?.duplicate, second?.eventId]).toEqual([false, true, first?.eventId]);
    const { entries } = await expectStatus(
      200,
      ask<{ entries: { text: string }[] }>(api.url, 'GET', `events/${first?.eventId}/timeline`),
    );
    const became = 'A rejection was resubmitted, and this is its event.';
    const duplicate = 'The rejection of another record was sent in again. It is a duplicate of this event.';
    const texts = entries
      .map(({ text }) => text)
      .filter((text) => text.includes('again') || text.includes('resubmitted'));
    expect(texts.sort()).toEqual([became, duplicate]);
  });
});

describe('an api process that is killed between an attempt with a patch and one without', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create();
  }, 120_000);
  afterAll(() => cluster.drop());

  it.each(ATTEMPTS.slice(0, 2))(
    'makes one event of each record: %s',
    async (what, first, second) => {
      const tenantId = `killed-${nameOf(what)}`;
      const { pool } = cluster;
      const killed = await cluster.start('api');
      await givenRefused(killed.url, tenantId, 40);
      const locker = await pool.connect();
      // Rejections can be read and their rows locked, but not changed.
      await locker.query('begin; lock table rejections in share row exclusive mode');
      const request = resubmit(killed.url, { tenantId, patch: first }).catch((error: unknown) => error);
      await eventually(async () => expect((await eventsOf(pool, tenantId)).length).toBe(40));
      await killed.end('SIGKILL');
      await request;
      await locker.query('commit');
      locker.release();

      const restarted = await cluster.start('api');
      const ids = await eventsOf(pool, tenantId);
      const answers = await Promise.all([0, 1, 2].map(() => resubmit(restarted.url, { tenantId, patch: second })));
      expect(answers.reduce((sum, { resubmitted }) => sum + resubmitted, 0)).toBe(0);
      await eventually(async () => {
        const { matched } = await resubmit(restarted.url, { tenantId, patch: second });
        expect(matched).toBe(0);
      });
      await expectEachOnce(pool, tenantId, ids);
    },
    180_000,
  );
});
