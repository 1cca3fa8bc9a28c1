import { numberIn } from '../../actions/form-values';
import type { Schema } from '../../api/endpoints';
import { hoursIn } from '../../parts/forms/hours-form';

/** What a form says is expected. */
export type SilenceForm = Pick<Schema<'ExpectationRequest'>, 'expectEverySeconds' | 'activeHours' | 'learnSilence'>;

/** @throws Error as hoursIn */
export function silenceFieldsIn(form: FormData): SilenceForm {
  return {
    expectEverySeconds: numberIn(form, 'expectEverySeconds'),
    activeHours: hoursIn(form, 'Active hours'),
    learnSilence: form.get('learn') !== null,
  };
}
