import { admin } from '../../support/admin';
import { givenOperator, heedAccess } from '../../support/credentials';
import { expectProblem, getEvent, postEvent, postStream, type Answer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { givenDestination } from '../../support/receivers/destinations';
import { answer, TestReceiver } from '../../support/receivers/receiver';
import { countRows } from '../../support/rows';

interface Metrics {
  from: string;
  to: string;
  stepSeconds: number;
  through: string;
  series: { key: string | null; total: number | null; points: [string, number][] }[];
  other: { total: number | null; points: [string, number][] };
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A slice of ten seconds, and what a busy machine needs. */
const ROLLED_UP_MS = 90_000;

describe('GET /v1/admin/metrics', () => {
  const api = useApp({ DESTINATIONS_ALLOW_PRIVATE: 'true', DELIVERY_RETRY_SCHEDULE_SECONDS: '0.1' });
  let good: TestReceiver;
  let bad: TestReceiver;
  let goodId: string;
  let badId: string;

  const asked = (query: Record<string, string | number>, token?: string): Promise<Answer<Metrics>> => {
    const [from, to] = [-10 * MINUTE_MS, MINUTE_MS].map((ms) => new Date(Date.now() + ms).toISOString());
    const parameters = Object.entries({ from: from ?? '', to: to ?? '', ...query }).map(([k, v]): [string, string] => [
      k,
      String(v),
    ]);
    const headers = token === undefined ? {} : { 'x-admin-token': token };
    return admin<Metrics>(api.url, `metrics?${new URLSearchParams(parameters).toString()}`, undefined, headers);
  };
  const read = async (query: Record<string, string | number>, token?: string): Promise<Metrics> => {
    const { status, body, text } = await asked(query, token);
    expect([status, text]).toEqual([200, text]);
    return body;
  };
  const totals = async (measure: string, dimension: string, token?: string) =>
    Object.fromEntries(
      (await read({ measure, dimension }, token)).series.map(({ key, total }) => [key ?? 'none', total]),
    );
  const event = (eventType: string, subject: string) => JSON.stringify({ eventType, subject, payload: {} });

  /** What was sent, as each measure must have it. */
  const expectAll = async (): Promise<void> => {
    expect(await totals('accepted', 'tenant')).toEqual({ blue: 12, red: 3 });
    expect(await totals('accepted', 'type')).toEqual({ 'order.paid': 9, 'order.sent': 6 });
    expect(await totals('accepted', 'source')).toEqual({ none: 15 });
    expect(await totals('completed', 'tenant')).toEqual({ blue: 12 });
    expect(await totals('delivered', 'destination')).toEqual({ [goodId]: 12 });
    expect(await totals('failed', 'destination')).toEqual({ [badId]: 3 });
    expect(await totals('failed', 'code')).toEqual({ HTTP_5XX: 3 });
    expect(await totals('rejected', 'code')).toEqual({ 'invalid-event': 1, 'malformed-body': 1 });
    expect(await totals('rejected', 'tenant')).toEqual({ blue: 2 });
    const latency = await totals('latency', 'tenant');
    expect(Object.keys(latency)).toEqual(['blue']);
    expect(latency.blue).toBeGreaterThan(0);
    const ofDestinations = await totals('latency', 'destination');
    expect(Object.keys(ofDestinations)).toEqual([goodId]);
    expect(ofDestinations[goodId]).toBeGreaterThan(0);
  };

  beforeAll(async () => {
    good = await TestReceiver.start();
    bad = await TestReceiver.start();
    bad.reaction = answer(500);
    goodId = (await givenDestination(api.url, { tenantId: 'blue', url: `http://127.0.0.1:${good.port}/` })).id;
    badId = (await givenDestination(api.url, { tenantId: 'red', url: `http://127.0.0.1:${bad.port}/` })).id;
    const lines = Array.from({ length: 10 }, (_, i) => event(i < 4 ? 'order.sent' : 'order.paid', `s-${i}`));
    await postStream(api.url, 'blue', [...lines, '{"eventType":1}', 'no json', ...lines.slice(0, 5)].join('\n'));
    const ids = ['a', 'b'].map((s) => postEvent(api.url, 'blue', event('order.sent', s)));
    const ofRed = ['c', 'd', 'e'].map((s) => postEvent(api.url, 'red', event('order.paid', s)));
    const [blue, red] = [await Promise.all(ids), await Promise.all(ofRed)];
    for (const { body } of blue) {
      await eventually(async () => expect((await getEvent(api.url, 'blue', body.id)).body.status).toBe('COMPLETED'));
    }
    for (const { body } of red) {
      await eventually(async () => expect((await getEvent(api.url, 'red', body.id)).body.status).toBe('DLQ'));
    }
    await eventually(async () => expect(await countRows(api.pool, `deliveries where status = 'DELIVERED'`)).toBe(12));
  });
  afterAll(async () => {
    await good.stop();
    await bad.stop();
  });

  it('counts what was sent before it is rolled up, and the same afterwards', async () => {
    await expectAll();
    await eventually(
      async () =>
        expect(
          await countRows(api.pool, `metric_rollup where measure = 'completed' and dimension = 'tenant'`),
        ).toBeGreaterThan(0),
      ROLLED_UP_MS,
    );
    await eventually(async () => {
      const { rows } = await api.pool.query<{ n: number }>(
        `select coalesce(sum(count), 0)::integer as n from metric_rollup where dimension = 'tenant' and measure = 'completed'`,
      );
      expect(rows[0]?.n).toBe(12);
    }, ROLLED_UP_MS);
    await expectAll();
  }, 200_000);

  it('has points that add up to the total', async () => {
    const { series, from, to, stepSeconds, through } = await read({
      measure: 'accepted',
      dimension: 'tenant',
      stepSeconds: 60,
    });
    expect(stepSeconds).toBe(60);
    expect((Date.parse(to) - Date.parse(from)) % MINUTE_MS).toBe(0);
    expect(Date.parse(through)).toBeLessThanOrEqual(Date.now() + 5_000);
    const blue = series.find(({ key }) => key === 'blue');
    expect(blue?.points.reduce((sum, [, n]) => sum + n, 0)).toBe(12);
    expect(blue?.points.length).toBeGreaterThanOrEqual(10);
  });

  it('sums what is beyond the limit', async () => {
    const { series, other } = await read({ measure: 'accepted', dimension: 'tenant', limit: 1 });
    expect([series.map(({ key }) => key), other.total]).toEqual([['blue'], 3]);
    const all = await read({ measure: 'accepted', dimension: 'tenant', limit: 0 });
    expect([all.series, all.other.total]).toEqual([[], 15]);
  });

  it('shows an operator its tenants only', async () => {
    const token = (await givenOperator(api.pool, { role: 'viewer', tenantIds: ['red'] })).text;
    heedAccess(api.app);
    expect(await totals('accepted', 'tenant', token)).toEqual({ red: 3 });
    expect(await totals('failed', 'destination', token)).toEqual({ [badId]: 3 });
    expect(await totals('rejected', 'code', token)).toEqual({});
    const { series, other } = await read({ measure: 'accepted', dimension: 'type', limit: 1 }, token);
    expect([series.map(({ key, total }) => [key, total]), other.total]).toEqual([[['order.paid', 3]], 0]);
    const ofOther = await read({ measure: 'accepted', dimension: 'type', tenantId: 'blue' }, token);
    expect([ofOther.series, ofOther.other.total]).toEqual([[], 0]);
  });

  it.each<[string, Record<string, string | number>, string]>([
    ['a dimension that the measure does not have', { dimension: 'code' }, '/dimension'],
    ['an unknown measure', { measure: 'sent' }, '/measure'],
    ['too many steps', { from: new Date(Date.now() - 60 * DAY_MS).toISOString(), stepSeconds: 3_600 }, '/stepSeconds'],
    ['what is not kept any more', { from: new Date(Date.now() - 93 * DAY_MS).toISOString() }, '/from'],
    ['the first year', { from: '0001-01-01T00:00:00Z' }, '/from'],
    ['the day after tomorrow', { to: new Date(Date.now() + 2 * DAY_MS).toISOString() }, '/to'],
    ['the last year', { to: '9999-12-31T23:59:59Z' }, '/to'],
    ['a range that ends before it begins', { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, '/from'],
    ['a step that is too short', { stepSeconds: 1 }, '/stepSeconds'],
    ['a quantile that is not known', { measure: 'latency', quantile: '0.7' }, '/quantile'],
    ['too many series', { limit: 51 }, '/limit'],
  ])('refuses %s', async (_what, query, pointer) => {
    const response = await asked({ measure: 'accepted', dimension: 'tenant', ...query });
    const { errors } = expectProblem(response, 400, 'invalid-request');
    expect(errors?.map((error) => error.pointer)).toContain(pointer);
  });
});
