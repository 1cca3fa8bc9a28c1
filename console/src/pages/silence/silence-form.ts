import { numberIn, textIn } from '../../actions/form-values';
import type { Schema } from '../../api/endpoints';

/** What a form says is expected. */
export type SilenceForm = Pick<Schema<'ExpectationRequest'>, 'expectEverySeconds' | 'activeHours' | 'learnSilence'>;

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** @throws Error when hours are given without a time zone, or no day is ticked */
export function silenceFieldsIn(form: FormData): SilenceForm {
  return {
    expectEverySeconds: numberIn(form, 'expectEverySeconds'),
    activeHours: activeHoursIn(form),
    learnSilence: form.get('learn') !== null,
  };
}

function activeHoursIn(form: FormData): NonNullable<SilenceForm['activeHours']> | null {
  const timeZone = textIn(form, 'timeZone');
  const from = textIn(form, 'from');
  const to = textIn(form, 'to');
  const weekdays = WEEKDAYS.filter((day) => form.getAll('weekdays').includes(day));
  const isEveryDay = weekdays.length === WEEKDAYS.length;
  if (weekdays.length === 0) throw new Error('Tick at least one day.');
  if (timeZone === undefined) {
    if (from === undefined && to === undefined && isEveryDay) return null;
    throw new Error('Active hours need a time zone, such as Europe/Berlin.');
  }
  return {
    timeZone,
    ...(isEveryDay ? {} : { weekdays }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
