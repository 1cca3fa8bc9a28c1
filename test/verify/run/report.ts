import type { Evidence } from '../evidence/evidence';
import { resultLine, type Result } from '../oracle/oracle';
import type { Violation } from '../oracle/violation';
import { entriesOf, type Entry } from './journal';

const MOST_VIOLATIONS_TOLD = 20;
const MOST_LENGTH = 2_000;

export function progressOf(entries: readonly Entry[]): string {
  const answered = entriesOf(entries, 'answered').length;
  const unanswered = entriesOf(entries, 'unanswered').length;
  return `          ${answered} requests answered, ${unanswered} not, ${entriesOf(entries, 'delivered').length} deliveries`;
}

/** Violations with the story of one event each, then totals. The last line is the result. */
export function reportOf(
  result: Result,
  { journal }: Evidence,
  { run, stories }: { run: { seed: number }; stories: ReadonlyMap<string, string> },
): string[] {
  const { violations, expected } = result;
  const told = violations.slice(0, MOST_VIOLATIONS_TOLD);
  const alreadyTold = new Set<string>();
  const untold = violations.length - told.length;
  return [
    ...told.flatMap((violation) => [lineOf(violation), ...storyOf(violation, stories, alreadyTold)]),
    ...(untold > 0 ? [`and ${untold} more`] : []),
    ...(violations.length > 0
      ? [`broken: ${countsOf(violations)}`, `the same load and faults again: --seed ${run.seed}`]
      : []),
    ...expectedOf(expected),
    summaryOf(journal),
    resultLine(result),
  ];
}

const lineOf = ({ breach, text }: Violation): string => `${breach}: ${text.slice(0, MOST_LENGTH)}`;

function storyOf({ names }: Violation, stories: ReadonlyMap<string, string>, alreadyTold: Set<string>): string[] {
  const name = names.find((one) => stories.has(one));
  if (name === undefined || alreadyTold.has(name)) return [];
  alreadyTold.add(name);
  return (stories.get(name) ?? '').split('\n').map((line) => `    ${line}`);
}

function countsOf(violations: readonly Violation[]): string {
  const groups = Map.groupBy(violations, ({ breach }) => breach);
  return [...groups].map(([breach, of]) => `${breach} ${of.length}`).join(', ');
}

/** Known faults of the product that showed in this run. */
function expectedOf(expected: Result['expected']): string[] {
  const groups = Map.groupBy(expected, ({ fault }) => fault);
  return [...groups].map(([{ name, issue }, of]) => `expected until issue ${issue}: ${name} (${of.length} times)`);
}

function summaryOf(entries: readonly Entry[]): string {
  const sent = entriesOf(entries, 'sent').length;
  const unanswered = entriesOf(entries, 'unanswered').length;
  const later = entriesOf(entries, 'answered').filter(({ status }) => status === 503 || status === 429).length;
  const deliveries = entriesOf(entries, 'delivered');
  const failed = deliveries.filter(({ status }) => status === undefined || status >= 300).length;
  const faults = new Set(entriesOf(entries, 'fault').map(({ fault }) => fault)).size;
  return [
    `${faults} faults`,
    `${sent} requests (${unanswered} unanswered, ${later} answered 429 or 503)`,
    `${entriesOf(entries, 'operator').length} of operators`,
    `${deliveries.length} deliveries (${failed} failed)`,
  ].join(', ');
}
