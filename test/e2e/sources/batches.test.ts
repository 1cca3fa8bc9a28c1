import type { Pool } from 'pg';
import { createPool } from '../../../src/db/pool';
import { useApp } from '../../support/fixtures/app';
import { eventually } from '../../support/eventually';
import { OwnServer, rowsOf, storedOf } from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { boxOf, givenSource, storeSource, type GivenSource, type SourceFields } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

const LIST: SourceFields = {
  verification: SIGNED_BODY,
  secrets: [WEBHOOK_SECRET],
  mapping: { records: '/items', eventType: '/type', subject: '/subject', eventId: '/id', payload: '/data' },
};

const record = (id: string, data = '{"n":12345678901234567890}'): string =>
  `{"id":"${id}","type":"item.sold","subject":"shop 1","data":${data}}`;
const records = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => record(`${name} ${i}`));
const list = (items: readonly string[]): string => `{"sent":1,"items":[${items.join(', ')}]}`;

const BAD = [
  '{"id":"bad 1","type":"item.sold","data":1}',
  '{"id":"bad 2","type":"item.sold","subject":"shop 1"}',
  '{"id":"bad 3","type":"item.sold","subject":["shop 1"],"data":1}',
  '{"id":"bad 4","type":"item.sold","subject":"shop 1","data":"\\u0000"}',
  '17',
];

describe('a list of records in one request', () => {
  const running = useApp();
  const send = (source: GivenSource, items: readonly string[]) =>
    sendWebhook(`${running.url}${source.path}`, list(items));
  const eventsOf = async ({ row }: GivenSource) => {
    const { rows } = await running.pool.query<{ n: number; transactions: number; requests: number }>(
      `select count(*)::int as n, count(distinct xmin::text)::int as transactions,
              count(distinct request_id)::int as requests
         from events where source_id = $1`,
      [row.id],
    );
    return rows[0];
  };

  it('is stored in one transaction, apart from its duplicates, conflicts and bad records, which are named', async () => {
    const source = await givenSource(running.app, running.pool, LIST);
    const good = records('mixed', 900);
    const conflicts = Array.from({ length: 45 }, (_, i) => record(`mixed ${i}`, '{"n":1}'));
    const items = [...good, ...good.slice(100, 150), ...conflicts, ...BAD];
    expect(items).toHaveLength(1_000);
    const answer = await send(source, items);
    expect([answer.status, answer.body]).toMatchObject([
      200,
      {
        status: 'rejected',
        summary: { records: 1_000, accepted: 900, duplicates: 50, filtered: 0, rejected: 50 },
        errorsTruncated: true,
      },
    ]);
    expect(answer.body.errors[0]).toMatchObject({ record: 951, code: 'event-id-conflict' });
    expect(await eventsOf(source)).toEqual({ n: 900, transactions: 1, requests: 1 });

    const { rows: kept } = await running.pool.query<{ number: number; code: string; text: string }>(
      `select record_number as number, code, convert_from(body, 'UTF8') as text from rejections
        where source_id = $1 order by record_number`,
      [source.row.id],
    );
    expect(kept.map(({ text }) => text)).toEqual([...conflicts, ...BAD]);
    expect(kept.slice(-5)).toMatchObject([
      { number: 996, code: 'invalid-event' },
      { number: 997, code: 'invalid-event' },
      { number: 998, code: 'invalid-event' },
      { number: 999, code: 'unsupported-character' },
      { number: 1_000, code: 'invalid-event' },
    ]);
    const { rows } = await running.pool.query<{ body: Buffer }>(
      'select body from received_requests where source_id = $1',
      [source.row.id],
    );
    expect(rows.map(({ body }) => body.toString())).toEqual([list(items)]);
  });

  it('is answered as a duplicate when it is sent again, and stores what is new in it', async () => {
    const source = await givenSource(running.app, running.pool, LIST);
    const first = records('again', 300);
    expect((await send(source, first)).body).toMatchObject({ status: 'accepted', summary: { accepted: 300 } });
    expect((await send(source, first)).body).toMatchObject({ status: 'duplicate', summary: { duplicates: 300 } });
    const more = [...first.slice(0, 150), ...records('more', 400), ...first.slice(150)];
    expect((await send(source, more)).body).toMatchObject({
      status: 'accepted',
      summary: { records: 700, accepted: 400, duplicates: 300 },
    });
    expect(await eventsOf(source)).toEqual({ n: 700, transactions: 2, requests: 2 });
  });

  it('is accepted with no records in it, and rejected without a list or with more records than allowed', async () => {
    const source = await givenSource(running.app, running.pool, LIST);
    expect((await send(source, [])).body).toMatchObject({ status: 'accepted', summary: { records: 0 } });
    const url = `${running.url}${source.path}`;
    for (const body of ['{"sent":1}', '{"items":"text"}', '[]', list(Array.from({ length: 5_001 }, () => '1'))]) {
      const answer = await sendWebhook(url, body);
      expect([answer.status, answer.body]).toMatchObject([
        200,
        { status: 'rejected', errors: [{ pointer: '/records' }] },
      ]);
    }
  });

  it('is stored whole by requests at the same time, each record once', async () => {
    const source = await givenSource(running.app, running.pool, LIST);
    const lists = Array.from({ length: 6 }, (_, i) => [...records('shared', 200), ...records(`own ${i}`, 200)]);
    const answers = await Promise.all(lists.map((items) => send(source, fromBehind(items))));
    expect(answers.map(({ status }) => status)).toEqual(lists.map(() => 200));
    const sum = (field: 'accepted' | 'duplicates'): number =>
      answers.reduce((total, { body }) => total + body.summary[field], 0);
    expect([sum('accepted'), sum('duplicates')]).toEqual([1_400, 1_000]);
    expect(await eventsOf(source)).toMatchObject({ n: 1_400 });
  });

  it('is answered by the policy of its source', async () => {
    const source = await givenSource(running.app, running.pool, {
      ...LIST,
      answers: {
        accepted: { status: 201, body: '[accepted]', contentType: 'text/plain' },
        duplicate: { status: 208 },
        rejected: { status: 422, body: '{"ok":false}', contentType: 'application/json' },
      },
    });
    const answered = async (items: readonly string[]) => {
      const { status, text, headers } = await sendWebhook(`${running.url}${source.path}`, list(items));
      return [status, text, text === '' ? '' : headers['content-type']];
    };
    const items = records('policy', 3);
    expect(await answered(items)).toEqual([201, '[accepted]', expect.stringContaining('text/plain')]);
    expect(await answered(items)).toEqual([208, '', '']);
    expect(await answered([...items, ...BAD])).toEqual([422, '{"ok":false}', expect.stringContaining('json')]);
    expect(await answered([...items, record('policy new')])).toContain(201);
  });
});

/** The same records in another order, so that requests at the same time meet in the middle. */
function fromBehind(items: readonly string[]): string[] {
  return items.toSorted((a, b) => (a < b ? -1 : 1)).toReversed();
}

describe('a list of records while PostgreSQL is killed', () => {
  let postgres: OwnServer;
  let pool: Pool;
  let api: TestProcess;
  let source: GivenSource;

  beforeAll(async () => {
    postgres = await OwnServer.postgres();
    pool = createPool(postgres.url, 'test');
    pool.on('error', () => undefined); // the connections break with the server
    source = await storeSource(pool, await boxOf(pool), { ...LIST, tenantId: 'killed' });
    api = await startProcess({ APP_ROLE: 'api', DATABASE_URL: `${postgres.url}?query_timeout=2000` });
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await pool?.end();
    await postgres?.stop();
  });

  const send = (items: readonly string[]) => sendWebhook(`${api.url}${source.path}`, list(items));
  /** Stops statements on a table where they are, kills PostgreSQL, and starts it again. */
  const killedAt = async (table: string, sending: () => ReturnType<typeof send>) => {
    const client = await pool.connect();
    client.on('error', () => undefined);
    await client.query('begin');
    await client.query(`lock table ${table} in access exclusive mode`);
    const answer = sending();
    await eventually(async () => {
      const waiting = await rowsOf(postgres.url, `select from pg_stat_activity where wait_event_type = 'Lock'`);
      expect(waiting.length).toBeGreaterThan(0);
    });
    await postgres.kill();
    client.release(true);
    const answered = await answer;
    await postgres.startAgain();
    return answered;
  };
  const sentUntilTaken = (items: readonly string[]) =>
    eventually(async () => {
      const answer = await send(items);
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
      return answer.body;
    });

  it('stores nothing of it when it is killed before the commit, and all of it afterwards', async () => {
    const items = records('before', 1_000);
    const answer = await killedAt('outbox', () => send(items));
    expect([answer.status, answer.body.code]).toEqual([503, 'storage-unavailable']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(await storedOf(postgres.url, 'killed')).toEqual({ events: 0, entries: 0, keys: 0 });

    expect((await sentUntilTaken(items)).summary).toMatchObject({ records: 1_000, accepted: 1_000 });
    expect(await storedOf(postgres.url, 'killed')).toEqual({ events: 1_000, entries: 1_000, keys: 1_000 });
  });

  it('is not answered before its rejections are stored, and is safe to send again', async () => {
    const items = [...records('after', 1_000), ...BAD];
    const answer = await killedAt('rejections', () => send(items));
    expect([answer.status, answer.body.code]).toEqual([503, 'storage-unavailable']);
    expect(await storedOf(postgres.url, 'killed')).toMatchObject({ events: 2_000, entries: 2_000, keys: 2_000 });
    expect(await rowsOf(postgres.url, 'select from rejections')).toHaveLength(0);

    expect(await sentUntilTaken(items)).toMatchObject({
      status: 'rejected',
      summary: { records: 1_005, accepted: 0, duplicates: 1_000, rejected: 5 },
    });
    expect(await rowsOf(postgres.url, 'select from rejections')).toHaveLength(5);
  });
});
