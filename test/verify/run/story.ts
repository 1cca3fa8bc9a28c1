import type { Evidence, StoredEvent } from '../evidence/evidence';
import type { Violation } from '../oracle/violation';
import { clock } from '../faults/schedule';
import { entriesOf, type Entry } from './journal';

const MOST_STORIES = 50;
const MOST_TEXT = 300;
/** Faults within this time of an entry belong to the story. */
const NEAR_MS = 5_000;

interface Line {
  atMs: number;
  text: string;
}

/** Everything known about the events of the violations: requests, responses, dispatches, attempts and deliveries. */
export function storiesOf(violations: readonly Violation[], evidence: Evidence): Map<string, string> {
  const names = new Set(violations.flatMap(({ names: [first] }) => first ?? []));
  return new Map([...names].slice(0, MOST_STORIES).map((name) => [name, storyOf(name, evidence)]));
}

function storyOf(name: string, evidence: Evidence): string {
  const stored = evidence.stored.filter((event) => event.name === name);
  const lines = [...outsideOf(name, evidence.journal), ...stored.flatMap(insideOf)];
  const faults = faultsNear(lines, evidence.journal);
  const inOrder = [...lines, ...faults].sort((a, b) => a.atMs - b.atMs);
  return [
    `the story of ${name}`,
    ...inOrder.map(({ atMs, text }) => `${clock(atMs)}  ${text}`),
    ...stored.map((event) => endOf(event, evidence.deadLetterCopies)),
    `is read back as ${short(evidence.readBack.get(name)?.text ?? 'nothing')}`,
    `was sent as ${short(evidence.sent.get(name)?.text ?? 'a record that had to be rejected')}`,
    '',
  ].join('\n');
}

function outsideOf(name: string, journal: readonly Entry[]): Line[] {
  const requests = entriesOf(journal, 'sent').filter(({ names }) => names.includes(name));
  const numbers = new Set(requests.map(({ request }) => request));
  const answers = [
    ...entriesOf(journal, 'answered'),
    ...entriesOf(journal, 'unanswered'),
    ...entriesOf(journal, 'strange'),
  ];
  return [
    ...requests.map(({ atMs, request, what, to }) => ({ atMs, text: `request ${request}: ${what} to ${to}` })),
    ...answers
      .filter(({ request }) => numbers.has(request))
      .map((answer) => {
        const told = answer.told.filter((one) => one.name === name).map((one) => JSON.stringify(one));
        const outcome = 'status' in answer ? `${answer.kind} ${answer.status}` : `unanswered (${answer.reason})`;
        return { atMs: answer.atMs, text: `request ${answer.request}: ${outcome} ${told.join(' ')}` };
      }),
    ...entriesOf(journal, 'delivered')
      .filter((delivered) => delivered.name === name)
      .map(({ atMs, destination, status, webhookId }) => ({
        atMs,
        text: `delivered to ${destination} as ${webhookId}: ${status ?? 'no answer'}`,
      })),
  ];
}

function insideOf({ id, entries, attempts, deliveries }: StoredEvent): Line[] {
  return [
    ...entries.flatMap(({ createdMs, closedMs, dispatchNo, destination, status }) => [
      { atMs: createdMs, text: `${id}: dispatch ${dispatchNo} to ${destination} is put into the outbox` },
      ...(closedMs === null ? [] : [{ atMs: closedMs, text: `${id}: dispatch ${dispatchNo} is ${status}` }]),
    ]),
    ...attempts.map(({ atMs, attemptNumber, dispatchNo, generation, status, reasonCode, message, worker }) => ({
      atMs,
      text: `${id}: attempt ${attemptNumber} of dispatch ${dispatchNo}, generation ${generation}, by ${worker}: ${status} ${reasonCode} ${message ?? ''}`,
    })),
    ...deliveries.flatMap(({ destination, generation, log }) =>
      log.map(({ atMs, attemptNumber, reasonCode, statusCode, worker }) => ({
        atMs,
        text: `${id}: attempt ${attemptNumber} of delivery ${generation} to ${destination}, by ${worker}: ${reasonCode} ${statusCode ?? ''}`,
      })),
    ),
  ];
}

function endOf(
  { id, status, generation, deadLetter, replays, effects, deliveries }: StoredEvent,
  deadLetterCopies: readonly string[],
): string {
  const copies = deadLetterCopies.filter((copy) => copy === id).length;
  const further = {
    ...(deadLetter && { deadLetter }),
    ...(replays.length > 0 && { replays }),
    ...(effects.length > 0 && { effects }),
    ...(deliveries.length > 0 && { deliveries: deliveries.map(({ log: _, ...delivery }) => delivery) }),
    ...(copies > 0 && { messagesInDlq: copies }),
  };
  return `${id} is ${status} in generation ${generation} ${JSON.stringify(further)}`;
}

function faultsNear(lines: readonly Line[], journal: readonly Entry[]): Line[] {
  return entriesOf(journal, 'fault')
    .filter(({ atMs }) => lines.some((line) => Math.abs(line.atMs - atMs) < NEAR_MS))
    .map(({ atMs, phase, text, target }) => ({ atMs, text: `** ${text} ${phase} (${target})` }));
}

const short = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);
