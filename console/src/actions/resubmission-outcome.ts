import type { Schema } from '../api/endpoints';
import { countOf, formatCount } from '../format/numbers';
import type { Outcome } from './outcome';

const REASONS_SHOWN = 3;

/** In a dry run, the counts say what would become of the rejections. */
export function outcomeOf(response: Schema<'ResubmitResponse'>): Outcome {
  const { matched, resubmitted, duplicates, rejected, skipped, pending, rejectedByCode, firstRejected } = response;
  const { dryRun, more = false } = response;
  const areRefused = dryRun ? 'would be refused again' : rejected === 1 ? 'was refused again' : 'were refused again';
  const codes = Object.entries(rejectedByCode).map(([code, count]) => `${code} ${count}`);
  const reasons = [...new Set(firstRejected.map(({ message }) => message))].slice(0, REASONS_SHOWN);
  const remarks = [
    ...(dryRun && resubmitted > 0 ? [`${countOf(resubmitted, 'rejection')} would become events.`] : []),
    ...(duplicates > 0 ? [`Duplicates of stored events: ${formatCount(duplicates)}.`] : []),
    ...(rejected > 0 ? [`${countOf(rejected, 'rejection')} ${areRefused}: ${codes.join(', ')}.`, ...reasons] : []),
    ...(pending > 0 ? [`Not reached in time: ${formatCount(pending)}. Do it again for the rest.`] : []),
  ];
  return { matched, changed: resubmitted + duplicates, skipped, more, remarks };
}
