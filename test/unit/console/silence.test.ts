import { silenceFieldsIn } from '../../../console/src/pages/silence/silence-form';
import { activeText, expectedText, learnedText } from '../../../console/src/pages/silence/silence-words';

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function formOf(fields: Record<string, string | string[]>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries({ weekdays: WEEK, ...fields })) {
    for (const each of [value].flat()) form.append(name, each);
  }
  return form;
}

describe('what is expected, in a form', () => {
  it('is nothing if nothing is filled in', () => {
    expect(silenceFieldsIn(formOf({ timeZone: ' ' }))).toEqual({
      expectEverySeconds: null,
      activeHours: null,
      learnSilence: false,
    });
  });

  it('has hours of some days', () => {
    const fields = { expectEverySeconds: '600', learn: 'x', timeZone: 'Europe/Berlin', from: '09:00', to: '18:00' };
    expect(silenceFieldsIn(formOf({ ...fields, weekdays: ['mon', 'sat'] }))).toEqual({
      expectEverySeconds: 600,
      activeHours: { timeZone: 'Europe/Berlin', weekdays: ['mon', 'sat'], from: '09:00', to: '18:00' },
      learnSilence: true,
    });
  });

  it.each([
    [{ from: '09:00' }, /time zone/],
    [{ weekdays: ['mon'] }, /time zone/],
    [{ timeZone: 'UTC', weekdays: [] }, /one day/],
  ])('refuses %j', (fields, message) => {
    expect(() => silenceFieldsIn(formOf(fields))).toThrow(message);
  });
});

describe('what is expected, in words', () => {
  it('says how often, when, and how far the learning is', () => {
    expect(expectedText({ expectEverySeconds: 3_600 })).toBe('1 h');
    expect(expectedText({ expectEverySeconds: null })).toBe(false);
    expect(activeText({ activeHours: null })).toBe(false);
    expect(activeText({ activeHours: { timeZone: 'UTC' } })).toBe('every day 00:00–24:00, UTC');
    expect(activeText({ activeHours: { timeZone: 'UTC', weekdays: ['mon', 'tue'], from: '09:00' } })).toBe(
      'Mon, Tue 09:00–24:00, UTC',
    );
    expect(learnedText({ learned: null })).toBe(false);
    expect(learnedText({ learned: { state: 'learning', weeks: 2, weeksNeeded: 4 } })).toBe('learning, 2 of 4 weeks');
    expect(learnedText({ learned: { state: 'learned', weeks: 4, weeksNeeded: 4 } })).toBe('learned');
  });
});
