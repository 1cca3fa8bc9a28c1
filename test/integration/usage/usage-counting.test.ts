import type { Pool } from 'pg';
import { ALL_TENANTS } from '../../../src/access/tenant-scope';
import { readUsage } from '../../../src/admin/usage/read-usage';
import { listUsage, type Usage } from '../../../src/admin/usage/usage.queries';
import { UsageCounting } from '../../../src/usage/usage-counting';
import { openFrom } from '../../../src/usage/usage-counting.queries';
import { addUsage } from '../../../src/worker/handlers/usage-meter.queries';
import { useDatabase } from '../../support/fixtures/database';
import { givenDeliveryAt, givenEventAt } from '../../support/measured';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

const EVERYTHING = {
  ...ALL_TENANTS,
  tenantId: null,
  firstDay: null,
  lastDay: null,
  after: null,
  limit: 1_000,
};
const listed = (pool: Pool): Promise<Usage[]> => listUsage(pool, EVERYTHING, true);

async function totals(pool: Pool): Promise<{ events: number; bytes: number; deliveries: number }> {
  const rows = await listed(pool);
  const sum = (of: 'events' | 'bytes' | 'deliveries'): number => rows.reduce((total, row) => total + row[of], 0);
  return { events: sum('events'), bytes: sum('bytes'), deliveries: sum('deliveries') };
}

/** A time so many seconds after the slices that are counted next, which began two minutes ago. */
const begin = Math.floor((Date.now() - 2 * MINUTE_MS) / (10 * SECOND_MS)) * 10 * SECOND_MS;
const slice = (seconds: number): number => begin + seconds * SECOND_MS;

describe('the counting of usage', () => {
  const database = useDatabase();
  const countFrom = (ms: number) =>
    database.pool.query(`update chore_progress set position = $1 where name = 'usage'`, [ms / SECOND_MS]);
  const position = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ ms: number }>(
      `select position::float8 * 1000 as ms from chore_progress where name = 'usage'`,
    );
    return rows[0]?.ms ?? 0;
  };
  const inSlices = async (): Promise<number> =>
    (await database.pool.query<{ n: number }>('select coalesce(sum(events), 0)::integer as n from usage_slices'))
      .rows[0]?.n ?? 0;

  beforeEach(async () => {
    await database.pool.query(
      'truncate events, deliveries, delivery_attempts, usage_daily, usage_intake, usage_slices, usage_close',
    );
    await countFrom(begin);
  });

  async function runAll(counting = new UsageCounting(database.pool)): Promise<void> {
    for (let waitMs = 0; waitMs <= 100;) {
      const next = await counting.runOnce();
      waitMs = next === 'elsewhere' ? 0 : next;
    }
  }

  it('shows what was accepted and delivered at once, and the same after it is in a slice and in the sum of its day', async () => {
    const { pool } = database;
    const ids = await Promise.all([1, 5, 11, 95].map((seconds) => givenEventAt(pool, slice(seconds))));
    await givenEventAt(pool, slice(3), { tenantId: 'other', type: 'a' });
    for (const id of ids.slice(0, 2)) await givenDeliveryAt(pool, id, { createdMs: slice(12), settledMs: slice(13) });
    await givenDeliveryAt(pool, ids[2] as string, { createdMs: slice(12), settledMs: slice(14), status: 'FAILED' });
    const all = { events: 5, bytes: 5, deliveries: 2 };
    await expect(totals(pool)).resolves.toEqual(all);
    expect(await inSlices()).toBe(0);
    await runAll();
    expect(await position()).toBeGreaterThan(slice(95));
    expect(await inSlices()).toBe(5);
    await expect(totals(pool)).resolves.toEqual(all);
    const own = (await listed(pool)).filter(({ tenantId }) => tenantId === 'acme');
    expect(own.reduce((sum, { events }) => sum + events, 0)).toBe(4);

    await pool.query(`update usage_slices set at = at - interval '1 hour'`); // as if an hour had passed
    await countFrom((await position()) - 10 * SECOND_MS);
    await pool.query('truncate events, delivery_attempts'); // as retention does, later
    await runAll();
    expect(await inSlices()).toBe(0);
    await expect(totals(pool)).resolves.toEqual(all);
  });

  it('counts rows that are committed after their slice was made, and no row twice', async () => {
    const { pool } = database;
    await givenEventAt(pool, slice(85));
    await runAll();
    const nextMs = (await position()) - 10 * SECOND_MS;
    await countFrom(nextMs); // the next slice is due
    const late = await givenEventAt(pool, nextMs - 6 * SECOND_MS);
    await givenDeliveryAt(pool, late, { createdMs: nextMs - 5 * SECOND_MS, settledMs: nextMs - 4 * SECOND_MS });
    await expect(totals(pool)).resolves.toEqual({ events: 1, bytes: 1, deliveries: 0 });
    await runAll();
    const all = { events: 2, bytes: 2, deliveries: 1 };
    await expect(totals(pool)).resolves.toEqual(all);
    await countFrom(begin); // the same slices again
    await runAll();
    await expect(totals(pool)).resolves.toEqual(all);
  });

  it('counts rows that are committed late until their slice is part of a day', async () => {
    const { pool } = database;
    await runAll();
    const nextMs = (await position()) - 10 * SECOND_MS;
    await countFrom(nextMs); // the next slice is due
    await givenEventAt(pool, nextMs - 15 * MINUTE_MS + SECOND_MS); // which becomes part of its day now
    await givenEventAt(pool, nextMs - 16 * MINUTE_MS);
    await runAll();
    await expect(totals(pool)).resolves.toEqual({ events: 1, bytes: 1, deliveries: 0 });
  });

  it('counts each row once when several processes count and some die in their transaction', async () => {
    const { pool } = database;
    const stored = await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        givenEventAt(pool, slice(i), { tenantId: `tenant-${i % 3}`, type: `type-${i % 7}` }),
      ),
    );
    const dying = new UsageCounting({
      connect: async () => {
        const client = await pool.connect();
        const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
        client.query = ((...given: unknown[]) => {
          if (!String(given[0]).startsWith('update chore_progress')) return query(...given);
          delete (client as Partial<typeof client>).query; // of this object; the class has it still
          return Promise.reject(new Error('killed'));
        }) as typeof client.query;
        return client;
      },
    } as unknown as Pool);
    await expect(dying.runOnce()).rejects.toThrow('killed');
    await Promise.all([runAll(), runAll(), runAll()]);
    await expect(totals(pool)).resolves.toEqual({ events: stored.length, bytes: stored.length, deliveries: 0 });
    const { rows } = await pool.query(
      `select tenant_id as "tenantId", type, count(*)::integer as events from events group by 1, 2 order by 1, 2`,
    );
    const byType = new Map<string, number>();
    for (const { tenantId, type, events } of await listed(pool)) {
      const key = `${tenantId} ${type}`;
      byType.set(key, (byType.get(key) ?? 0) + events);
    }
    expect(Object.fromEntries(byType)).toEqual(
      Object.fromEntries(
        (rows as { tenantId: string; type: string; events: number }[]).map((row) => [
          `${row.tenantId} ${row.type}`,
          row.events,
        ]),
      ),
    );
  });

  it('keeps the figures of a closed month: what is processed later counts on the first open day', async () => {
    const { pool } = database;
    const processed = (day: string, type = 'order.paid') =>
      addUsage(pool, [{ tenantId: 'acme', day, type, events: 1, bytes: 10 }]);
    await pool.query(
      `insert into usage_intake (tenant_id, day, type, events, bytes, deliveries) values ('acme', '2026-09-30', 'order.paid', 3, 30, 2)`,
    );
    await processed('2026-09-30');
    const rowOf = async (day: string) => (await listed(pool)).find((row) => row.day === day);
    const september = await rowOf('2026-09-30');
    expect(september).toMatchObject({ events: 3, bytes: 30, deliveries: 2, processed: 1, closed: false });
    await openFrom(pool, '2026-10-01');
    expect((await rowOf('2026-09-30'))?.closed).toBe(false); // transactions that have begun may still count in it
    await pool.query(`update usage_close set since = now() - interval '61 minutes'`);
    await addUsage(pool, [
      { tenantId: 'acme', day: '2026-09-30', type: 'order.paid', events: 1, bytes: 10 },
      { tenantId: 'acme', day: '2026-09-29', type: 'order.paid', events: 1, bytes: 10 },
      { tenantId: 'acme', day: '2026-10-01', type: 'order.paid', events: 1, bytes: 10 },
    ]);
    await processed('2026-10-02');
    expect(await rowOf('2026-09-30')).toEqual({ ...september, closed: true });
    expect(await rowOf('2026-09-29')).toBeUndefined();
    expect(await rowOf('2026-10-01')).toMatchObject({ processed: 3, processedBytes: 30, closed: false });
    expect(await rowOf('2026-10-02')).toMatchObject({ processed: 1 });
    await openFrom(pool, '2026-11-01');
    expect((await rowOf('2026-09-30'))?.closed).toBe(true); // it was closed before
    expect((await rowOf('2026-10-02'))?.closed).toBe(false);
  });

  it('reads no events for what is not counted yet, if that is more than a minute or after the last day', async () => {
    const { pool } = database;
    const reported = async () =>
      (await pool.query<{ n: number }>('select coalesce(sum(events), 0)::integer as n from reporting.usage')).rows[0]
        ?.n;
    await pool.query(
      `insert into usage_intake (tenant_id, day, type, events, bytes, deliveries) values ('acme', '2026-01-05', 'a', 1, 1, 0)`,
    );
    const nowMs = Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
    await givenEventAt(pool, nowMs - 1);
    const events = async (lastDay: string | null = null) => {
      const { usage, countedThrough } = await readUsage(pool, { ...EVERYTHING, lastDay });
      return { events: usage.reduce((sum, row) => sum + row.events, 0), countedThrough };
    };
    await countFrom(nowMs - 10 * SECOND_MS);
    const { countedThrough, ...near } = await events();
    expect(near).toEqual({ events: 2 });
    expect(Date.parse(countedThrough)).toBeGreaterThan(nowMs - 10 * SECOND_MS);
    expect(await reported()).toBe(2);

    const locking = await pool.connect();
    try {
      await locking.query('begin; lock table events, delivery_attempts, deliveries in access exclusive mode');
      const through = new Date(nowMs - 10 * SECOND_MS).toISOString();
      expect(await events('2026-01-05')).toEqual({ events: 1, countedThrough: through });
      expect(await events()).toEqual({ events: 1, countedThrough: through }); // counting the rest takes too long
      await countFrom(nowMs - 60 * MINUTE_MS);
      const anHourAgo = new Date(nowMs - 60 * MINUTE_MS).toISOString();
      expect(await events()).toEqual({ events: 1, countedThrough: anHourAgo });
    } finally {
      await locking.query('rollback');
      locking.release();
    }
    expect(await reported()).toBe(1); // the view leaves it out too
    const { rows } = await pool.query<Record<string, string>>(
      'explain (analyze, costs off) select * from reporting.usage',
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/ on events\S* .*never executed/);
    expect(plan).not.toMatch(/ on (events|deliver)\S* .*actual/);
  });

  it('closes the months before the present one, once they are counted', async () => {
    await runAll();
    const { rows } = await database.pool.query<{ day: string }>(`select open_from::text as day from usage_close`);
    expect(rows[0]?.day).toMatch(/^\d{4}-\d\d-01$/);
    expect(Date.parse(rows[0]?.day as string)).toBeLessThanOrEqual(begin);
  });
});
