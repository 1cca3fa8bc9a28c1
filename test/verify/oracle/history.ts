import type { Evidence, StoredAttempt, StoredDelivery, StoredEvent } from '../evidence/evidence';
import { violation, type Violation } from './violation';

/** RETRY_BACKOFF_MS of the run minus RETRY_JITTER. */
const LEAST_WAITS_MS = [160, 400, 800];

const SETTLED: readonly string[] = ['COMPLETED', 'DLQ', 'DISCARDED'];

/** I6, I7, I12, I13: every event is settled, with one success per generation and without gaps in its attempts. */
export function checkHistory({ stored }: Evidence): Violation[] {
  return stored.flatMap((event) => {
    const found = [...checkGenerations(event), ...(event.erased ? checkErased(event) : checkStatus(event))];
    const attempts = event.attempts.flatMap((attempt, i) => checkSuccession(event.attempts[i - 1], attempt));
    return [
      ...found.map((one) => ({ ...one, names: [event.name] })),
      ...attempts.map((text) => violation('attempts', `${event.name} ${text}`, event.name)),
      ...checkEntries(event),
    ];
  });
}

function checkGenerations({ name, generation, attempts, replays, status, erased }: StoredEvent): Violation[] {
  const found: Violation[] = [];
  for (let each = 1; each <= generation; each++) {
    const own = attempts.filter((attempt) => attempt.generation === each);
    const times = own.filter((attempt) => attempt.status === 'SUCCESS').length;
    const isGivenUp = own.at(-1)?.status === 'DLQ' && (each < generation || status !== 'COMPLETED');
    if (times > 1) found.push(violation('doubled', `${name} succeeded ${times} times in generation ${each}`));
    const isErased = erased !== undefined && each === generation && status === 'DISCARDED';
    if (times === 0 && !isGivenUp && !isErased)
      found.push(violation('unsettled', `${name} never succeeded in generation ${each}`));
  }
  if (attempts.some((attempt) => attempt.generation > generation)) {
    found.push(violation('doubled', `${name} has attempts in a generation above ${generation}`));
  }
  const reprocessed = replays.filter(({ mode, dispatchNo }) => mode === 'reprocess' && dispatchNo !== null).length;
  if (generation !== 1 + reprocessed) {
    const text = `${name} was reprocessed ${reprocessed} times and is in generation ${generation}`;
    found.push(violation('operator', text));
  }
  return found;
}

/** An erased event is COMPLETED if its handlers are done, otherwise DISCARDED, with nothing to be done by a person. */
function checkErased({ name, status, attempts, generation, deadLetter }: StoredEvent): Violation[] {
  const isDone = attempts.some((attempt) => attempt.generation === generation && attempt.status === 'SUCCESS');
  const expected = isDone ? 'COMPLETED' : 'DISCARDED';
  const isOpen = deadLetter?.resolution === null;
  if (status === expected && !isOpen) return [];
  const open = isOpen ? ', and its dead letter is unresolved' : '';
  return [violation('unsettled', `${name} was erased, and is ${status}, not ${expected}${open}`)];
}

function checkStatus({ name, status, attempts, generation, deliveries, deadLetter }: StoredEvent): Violation[] {
  const failedForGood = attempts.some((attempt) => attempt.status === 'DLQ');
  if (failedForGood !== (deadLetter !== undefined)) {
    return [
      violation(
        'dead letter',
        `${name} has ${deadLetter ? 'a' : 'no'} dead letter, and ${failedForGood ? 'a' : 'no'} final failed attempt`,
      ),
    ];
  }
  const resolution = deadLetter?.resolution ?? null;
  if (attempts.some((attempt) => attempt.generation === generation && attempt.status === 'SUCCESS')) {
    const expected = statusOf(deliveries);
    const open = resolution === null && deadLetter ? ', and its dead letter is unresolved' : '';
    if (status === expected && open === '') return [];
    const breach = SETTLED.includes(status) && SETTLED.includes(expected) ? 'dead letter' : 'unsettled';
    return [violation(breach, `${name} is ${status}, and its deliveries make it ${expected}${open}`)];
  }
  switch (status) {
    case 'COMPLETED':
      return []; // reported as a generation without a success
    case 'DLQ':
      return resolution === null
        ? []
        : [violation('dead letter', `${name} is in the DLQ, and its dead letter is ${resolution}`)];
    case 'DISCARDED':
      return resolution === 'DISCARDED'
        ? []
        : [violation('dead letter', `${name} is discarded, and its dead letter is ${resolution}`)];
    default:
      return [violation('unsettled', `${name} stays ${status}`)];
  }
}

/** The status of an event whose handlers are done follows from the newest delivery to each destination. */
function statusOf(deliveries: readonly StoredDelivery[]): string {
  const newest = new Map(
    [...deliveries].sort((a, b) => a.generation - b.generation).map(({ destination, status }) => [destination, status]),
  );
  const statuses = [...newest.values()];
  if (statuses.includes('OPEN')) return 'DELIVERING';
  if (statuses.includes('FAILED')) return 'DLQ';
  return statuses.includes('DISCARDED') ? 'DISCARDED' : 'COMPLETED';
}

/** Compares an attempt with the one before it. */
function checkSuccession(before: StoredAttempt | undefined, attempt: StoredAttempt): string[] {
  const { attemptNumber: number, dispatchNo, generation, status } = attempt;
  const expected = before?.status === 'RETRY' ? before.attemptNumber + 1 : 1;
  const found: string[] = [];
  if (number !== expected) found.push(`has attempt ${number} instead of ${expected} (dispatch ${dispatchNo})`);
  if (!before) return found;
  if (dispatchNo <= before.dispatchNo) found.push(`has two attempts in dispatch ${dispatchNo}`);
  if (before.status === 'SUCCESS' && generation === before.generation) found.push('has an attempt after its success');
  if (before.status === 'RETRY' && generation !== before.generation)
    found.push('was reprocessed while a retry was scheduled');
  const wait = LEAST_WAITS_MS[Math.min(before.attemptNumber, LEAST_WAITS_MS.length) - 1] as number;
  if (before.status === 'RETRY' && attempt.atMs - before.atMs < wait) {
    found.push(
      `was retried (${status}) after ${Math.round(attempt.atMs - before.atMs)} ms, before its backoff had passed`,
    );
  }
  return found;
}

/** I8, I11: each dispatch has exactly one outbox entry. The entry after a final failure is a copy for events.dlq. */
function checkEntries({ name, attempts, entries }: StoredEvent): Violation[] {
  const dispatches = Map.groupBy(entries, ({ dispatchNo }) => dispatchNo);
  const twice = [...dispatches].filter(([, of]) => of.length > 1);
  const withoutCopy = attempts.filter(
    ({ status, dispatchNo }) => status === 'DLQ' && dispatches.get(dispatchNo + 1)?.[0]?.destination !== 'dlq',
  );
  return [
    ...twice.map(([number, of]) =>
      violation('doubled', `${name} has ${of.length} outbox entries for dispatch ${number}`, name),
    ),
    ...withoutCopy.map(({ dispatchNo }) =>
      violation(
        'dead letter',
        `${name} became a dead letter in dispatch ${dispatchNo}, without an outbox entry for events.dlq`,
        name,
      ),
    ),
    ...(dispatches.has(1) ? [] : [violation('lost', `${name} has no outbox entry for its first dispatch`, name)]),
  ];
}
