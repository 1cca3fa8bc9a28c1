import type { Schema } from '../../api/endpoints';
import { hoursIn } from '../../parts/forms/hours-form';

export const SEVERITIES: [Schema<'ConditionSeverity'>, string][] = [
  ['info', 'info: everything'],
  ['warning', 'warning: what somebody should look at'],
  ['error', 'error: what is failing now'],
  ['critical', 'critical: what cannot wait'],
];

/** @throws Error as hoursIn */
export function noticesIn(form: FormData): Pick<Schema<'DestinationChangeRequest'>, 'minSeverity' | 'quietHours'> {
  const severity = SEVERITIES.find(([one]) => one === form.get('minSeverity'))?.[0] ?? 'info';
  return { minSeverity: severity === 'info' ? null : severity, quietHours: hoursIn(form, 'Quiet hours') };
}
