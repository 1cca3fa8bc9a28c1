import { attemptLines, durationLines } from '../../../console/src/metrics/minutes';
import { noticesIn } from '../../../console/src/pages/destinations/notices-form';
import { orderIn } from '../../../console/src/pages/destinations/order-form';
import { bodyOfRules, faultOfRules } from '../../../console/src/pages/destinations/rules-text';

describe('the rules of a destination', () => {
  it.each([
    [{ filter: '', transform: ' ' }, '{"filter":null,"transform":null}'],
    [{ filter: ' {"n":1.10}', transform: '"a" & b' }, '{"filter": {"n":1.10},"transform":"\\"a\\" & b"}'],
  ])('%j are sent as %s', (rules, body) => expect(bodyOfRules(rules)).toBe(body));

  it('are sent with what else the request has', () => {
    const body = bodyOfRules({ filter: '', transform: '/type' }, { eventId: 'a"b', dryRun: true });
    expect(JSON.parse(body)).toEqual({ eventId: 'a"b', dryRun: true, filter: null, transform: '/type' });
  });

  it('are not sent while the filter is no JSON', () => {
    expect(faultOfRules({ filter: '{"a":1', transform: '' })).toEqual(expect.any(String));
    expect([faultOfRules({ filter: '{}', transform: '' }), faultOfRules({ filter: ' ', transform: '{' })]).toEqual([
      ...[undefined, undefined],
    ]);
  });
});

describe('the charts of a destination', () => {
  const nowMs = Date.parse('2026-11-30T12:00:30Z');
  const minutes = [
    { at: '2026-11-30T11:10:00.000Z', delivered: 3, failed: 0, p50Ms: 20, p95Ms: 40 },
    { at: '2026-11-30T12:00:00.000Z', delivered: 0, failed: 2, p50Ms: null, p95Ms: null },
  ];

  it('have a place for each minute of the last hour', () => {
    for (const { at } of [durationLines(minutes, nowMs), attemptLines(minutes, nowMs)]) {
      expect([at.length, at[0], at[59]]).toEqual([
        ...[60, Date.parse('2026-11-30T11:01:00Z') / 1_000, Date.parse('2026-11-30T12:00:00Z') / 1_000],
      ]);
    }
  });

  it('have a gap where nothing succeeded, and a zero where nothing was tried', () => {
    const durations = durationLines(minutes, nowMs).values;
    expect(durations.map((values) => [values[9], values[10], values[59]])).toEqual([
      [20, null, null],
      [40, null, null],
    ]);
    const attempts = attemptLines(minutes, nowMs).values;
    expect(attempts.map((values) => [values[9], values[10], values[59]])).toEqual([
      [3, 0, 0],
      [0, 0, 2],
    ]);
  });
});

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function formOf(fields: Record<string, string | readonly string[]>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) for (const each of [value].flat()) form.append(name, each);
  return form;
}

describe('what a destination of operator events gets, in a form', () => {
  it('is everything at any hour, if nothing is chosen', () => {
    expect(noticesIn(formOf({ minSeverity: 'info', weekdays: WEEK }))).toEqual({ minSeverity: null, quietHours: null });
  });

  it('has quiet hours of some days', () => {
    const fields = { minSeverity: 'critical', timeZone: 'UTC', weekdays: ['sat', 'sun'], from: '20:00' };
    const quietHours = { timeZone: 'UTC', weekdays: ['sat', 'sun'], from: '20:00' };
    expect(noticesIn(formOf(fields))).toEqual({ minSeverity: 'critical', quietHours });
  });
});

describe('the order of a destination, in a form', () => {
  it.each([
    [{ order: 'none' }, { ordering: 'none', onPoison: 'block', latestOnly: false }],
    [
      { order: 'skip', latest: 'x' },
      { ordering: 'key', onPoison: 'skip', latestOnly: true },
    ],
  ])('%j is %j', (fields, order) => expect(orderIn(formOf(fields))).toEqual(order));

  it('has to be chosen for the latest of a key', () => {
    expect(() => orderIn(formOf({ order: 'none', latest: 'x' }))).toThrow(/order by key/);
  });
});
