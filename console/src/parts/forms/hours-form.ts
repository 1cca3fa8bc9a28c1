import { textIn } from '../../actions/form-values';

/** Hours of some days in a time zone, as requests say them. */
export type Hours = Record<string, unknown>;

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/**
 * The hours of a form; null if it has none.
 * @param what names them in errors: 'Active hours'
 * @throws Error when hours are given without a time zone, or no day is ticked
 */
export function hoursIn(form: FormData, what: string): Hours | null {
  const timeZone = textIn(form, 'timeZone');
  const from = textIn(form, 'from');
  const to = textIn(form, 'to');
  const weekdays = WEEKDAYS.filter((day) => form.getAll('weekdays').includes(day));
  const isEveryDay = weekdays.length === WEEKDAYS.length;
  if (weekdays.length === 0) throw new Error('Tick at least one day.');
  if (timeZone === undefined) {
    if (from === undefined && to === undefined && isEveryDay) return null;
    throw new Error(`${what} need a time zone, such as Europe/Berlin.`);
  }
  return {
    timeZone,
    ...(isEveryDay ? {} : { weekdays }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

/** `Mon, Tue 09:00–18:00, Europe/Berlin`. */
export function hoursText({ timeZone, weekdays, from = '00:00', to = '24:00' }: Hours): string {
  const days = Array.isArray(weekdays) ? weekdays.map((day) => capitalised(String(day))).join(', ') : 'every day';
  return `${days} ${String(from)}–${String(to)}, ${String(timeZone)}`;
}

const capitalised = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
