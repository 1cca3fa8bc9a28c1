import * as path from 'node:path';
import { admin, type ReplayProgress, type ReplayStarted } from '../../support/admin';
import { postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { statusCounts, TestCluster } from '../../support/processes/e2e-cluster';
import type { TestProcess } from '../../support/processes/process';
import { expectSameEvent, expectSameOutbox, expectSameUsage, unnamedWork } from '../../support/reporting';
import { countRows } from '../../support/rows';

const MISBEHAVING = {
  NODE_OPTIONS: `--require ${path.resolve(__dirname, '../../support/processes/misbehaving-handler.js')}`,
};
const RULES = { MAX_RETRY_ATTEMPTS: '3', RETRY_BACKOFF_MS: '300,600', RETRY_JITTER: '0' };
const TENANT = 'reported';
const ORDERS = 60;

const line = (eventId: string, eventType: string): string =>
  `${JSON.stringify({ eventId, eventType, subject: eventId, payload: { eventId } })}\n`;

describe('the reporting views of a running cluster', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  /** Kinds of open work that were seen while events were under way. */
  const seen = new Set<string>();
  /** Events that were under way when no kind of open work named them. */
  const unnamed: unknown[] = [];
  beforeAll(async () => {
    cluster = await TestCluster.create();
    [api] = await Promise.all([cluster.start('api'), cluster.start('publisher')]);
  });
  afterAll(() => cluster.drop());

  /** Looks until the events rest with these counts; whatever is under way has to be named in every look. */
  const comeToRest = (counts: Record<string, number>): Promise<void> =>
    eventually(async () => {
      const { rows } = await cluster.pool.query<{ kind: string }>('select distinct kind from reporting.open_work');
      for (const { kind } of rows) seen.add(kind);
      unnamed.push(...(await unnamedWork(cluster.pool)));
      expect(await statusCounts(cluster.pool, TENANT)).toEqual(counts);
      expect(await countRows(cluster.pool, 'reporting.open_work')).toBe(0);
    }, 60_000);

  const expectSameOfAll = async (): Promise<void> => {
    const { rows } = await cluster.pool.query<{ id: string }>('select id from reporting.events where tenant_id = $1', [
      TENANT,
    ]);
    expect(rows).toHaveLength(ORDERS + 2);
    for (const { id } of rows) await expectSameEvent(cluster.pool, api.url, TENANT, id);
    await expectSameUsage(cluster.pool, api.url, TENANT);
    await expectSameOutbox(cluster.pool, api.url);
  };

  it('agree with the API about completed, retried, failed and duplicate events, and list all open work', async () => {
    const orders = Array.from({ length: ORDERS }, (_, i) => line(`order-${i}`, 'order.paid'));
    const lines = [...orders, line('twice', 'test.twice'), line('failing', 'test.failing'), ...orders.slice(0, 10)];
    const { body } = await postStream(api.url, TENANT, lines.join(''));
    expect(body.summary).toMatchObject({ accepted: ORDERS + 2, duplicates: 10 });
    // There is no worker yet: all events stay in the outbox or in the broker.
    await eventually(async () =>
      expect(await countRows(cluster.pool, `reporting.open_work where kind = 'dispatch'`)).toBe(ORDERS + 2),
    );
    await cluster.start('worker', { ...MISBEHAVING, ...RULES });
    await comeToRest({ COMPLETED: ORDERS + 1, DLQ: 1 });
    await expectSameOfAll();
    expect([...seen]).toEqual(expect.arrayContaining(['dispatch', 'retry']));
  }, 120_000);

  it('agree with the API about discarded and replayed events', async () => {
    const discarded = await admin(api.url, 'dlq/discard', { tenantId: TENANT });
    expect(discarded.status).toBe(202);
    const { body } = await admin<ReplayStarted>(api.url, 'replay', {
      tenantId: TENANT,
      type: 'order.paid',
      mode: 'reprocess',
    });
    expect(body).toMatchObject({ matched: ORDERS, replayed: ORDERS });
    await comeToRest({ COMPLETED: ORDERS + 1, DISCARDED: 1 });
    // The replay is part of the work: it is done when nothing is open.
    const replay = await admin<ReplayProgress>(api.url, `replays/${body.replayId}`);
    expect(replay.body).toMatchObject({ status: 'DONE', progress: { completed: ORDERS } });
    await expectSameOfAll();
    expect(seen).toContain('replay');
    const { rows } = await cluster.pool.query(
      'select generation, count(*)::int as n from reporting.events where tenant_id = $1 group by 1 order by 1',
      [TENANT],
    );
    expect(rows).toEqual([
      { generation: 1, n: 2 },
      { generation: 2, n: ORDERS },
    ]);
    expect(unnamed).toEqual([]);
  }, 120_000);
});
