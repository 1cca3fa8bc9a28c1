import { CLEARS_LATER_MS, isGraveEnough, quietUntilMs } from '../../../../src/destinations/operator/operator-rules';
import { SEVERITY_OF } from '../../../../src/destinations/operator/severity';
import { CONDITION_KINDS } from '../../../../src/operator-events/condition';
import { WATCHES } from '../../../../src/operator-events/watches';
import type { ActiveHours } from '../../../../src/silence/active-hours';

const NIGHT: ActiveHours = { timeZone: 'Europe/Berlin', from: '22:00', to: '07:00' };
const LUNCH: ActiveHours = { timeZone: 'UTC', weekdays: ['wed'], from: '12:00', to: '13:00' };
const WEEKEND: ActiveHours = { timeZone: 'Europe/Berlin', weekdays: ['sat', 'sun'] };
const event = (type: string, state = 'raised') => ({ type, body: Buffer.from(JSON.stringify({ payload: { state } })) });

describe('the minimal severity of a destination', () => {
  it.each([
    [null, ['quota.reached', 'destination.failing', 'outbox.lagging']],
    ['info', ['quota.reached', 'destination.failing', 'outbox.lagging']],
    ['warning', ['quota.reached', 'destination.failing', 'outbox.lagging']],
    ['error', ['destination.failing', 'outbox.lagging']],
    ['critical', ['outbox.lagging']],
  ] as const)('%s lets through %j', (minSeverity, passing) => {
    const types = ['quota.reached', 'destination.failing', 'outbox.lagging'];
    expect(types.filter((type) => isGraveEnough({ minSeverity }, type))).toEqual(passing);
  });

  it('lets through what clears, wherever it lets through what was raised', () => {
    for (const { kind, clearedKind = kind } of WATCHES) expect(SEVERITY_OF[clearedKind]).toBe(SEVERITY_OF[kind]);
    expect(Object.keys(SEVERITY_OF)).toEqual(expect.arrayContaining([...CONDITION_KINDS]));
  });

  it('lets through what this build does not know', () => {
    expect(isGraveEnough({ minSeverity: 'critical' }, 'toString')).toBe(true);
  });
});

describe('quiet hours', () => {
  it.each([
    ['before', NIGHT, '2026-06-01T19:59:59Z', undefined],
    ['from their first moment', NIGHT, '2026-06-01T20:00:00Z', '2026-06-02T05:00:00Z'],
    ['after midnight', NIGHT, '2026-06-02T04:59:59Z', '2026-06-02T05:00:00Z'],
    ['when they are over', NIGHT, '2026-06-02T05:00:00Z', undefined],
    ['on their weekday', LUNCH, '2026-06-03T12:30:30Z', '2026-06-03T13:00:00Z'],
    ['on another weekday', LUNCH, '2026-06-04T12:30:30Z', undefined],
    ['until the end of whole days that follow one another', WEEKEND, '2026-06-06T10:00:00Z', '2026-06-07T22:00:00Z'],
    ['in the night in which an hour is left out', NIGHT, '2026-03-28T22:30:00Z', '2026-03-29T05:00:00Z'],
    ['in the night in which an hour comes twice', NIGHT, '2026-10-24T20:30:00Z', '2026-10-25T06:00:00Z'],
    ['never', null, '2026-06-02T04:00:00Z', undefined],
    ['at no time of a zone that is not known', { timeZone: 'Moon/Sea' }, '2026-06-02T04:00:00Z', undefined],
    ['not without an end', { timeZone: 'UTC' }, '2026-06-02T04:00:00Z', undefined],
  ] as const)('hold a warning %s', (_, quietHours, now, until) => {
    const untilMs = quietUntilMs({ quietHours }, event('quota.reached'), () => Date.parse(now));
    expect(untilMs).toBe(until && Date.parse(until));
  });

  it('hold what clears a little longer than what was raised', () => {
    const now = () => Date.parse('2026-06-01T23:00:00Z');
    const [raised, cleared] = [event('source.silent'), event('source.resumed', 'cleared')].map((one) =>
      quietUntilMs({ quietHours: NIGHT }, one, now),
    );
    expect(cleared).toBe((raised ?? 0) + CLEARS_LATER_MS);
  });

  it('hold nothing that is critical', () => {
    const now = () => Date.parse('2026-06-01T23:00:00Z');
    for (const state of ['raised', 'cleared']) {
      expect(quietUntilMs({ quietHours: NIGHT }, event('outbox.lagging', state), now)).toBeUndefined();
    }
  });
});
