import { entriesOf, type Entry } from './journal';
import { resultLine, type Verdict } from './oracle';

const MOST_VIOLATIONS_TOLD = 20;

export function progressOf(entries: readonly Entry[]): string {
  const answered = entriesOf(entries, 'answered').length;
  const unanswered = entriesOf(entries, 'unanswered').length;
  return `          ${answered} requests answered, ${unanswered} not, ${entriesOf(entries, 'delivered').length} deliveries`;
}

/** What was violated, how much was tried, and the verdict, which comes last. */
export function reportOf(
  verdict: Verdict,
  entries: readonly Entry[],
  { seed, directory }: { seed: number; directory: string },
): string[] {
  const { violations } = verdict;
  const told = violations.slice(0, MOST_VIOLATIONS_TOLD).map(({ breach, text }) => `${breach}: ${text}`);
  const untold = violations.length - told.length;
  return [
    ...told,
    ...(untold > 0 ? [`and ${untold} more`] : []),
    ...(violations.length > 0
      ? [`the same load and faults again: --seed ${seed}`, `journal and output of all processes: ${directory}`]
      : []),
    summaryOf(entries),
    resultLine(verdict),
  ];
}

function summaryOf(entries: readonly Entry[]): string {
  const sent = entriesOf(entries, 'sent').length;
  const unanswered = entriesOf(entries, 'unanswered').length;
  const refused = entriesOf(entries, 'answered').filter(({ status }) => status >= 300).length;
  const deliveries = entriesOf(entries, 'delivered');
  const failed = deliveries.filter(({ status }) => status === undefined || status >= 300).length;
  const faults = entriesOf(entries, 'fault').filter(({ text }) => !text.endsWith('is back')).length;
  return [
    `${faults} faults`,
    `${sent} requests (${unanswered} unanswered, ${refused} told to come again)`,
    `${entriesOf(entries, 'replay').length} replays`,
    `${deliveries.length} deliveries (${failed} failed)`,
  ].join(', ');
}
