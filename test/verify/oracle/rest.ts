import type { Evidence, StoredEvent } from '../evidence/evidence';
import { entriesOf } from '../run/journal';
import { FaultWindows, bringsAgain } from './fault-windows';
import { violation, type Violation } from './violation';

const AROUND_MS = 10_000;

/** I13: nothing is left over, events.dlq holds one message per dead letter, and only forgeries were parked. */
export function checkRest({ leftovers, wrongGauges, ...evidence }: Evidence): Violation[] {
  const examples = evidence.stored.filter(isOpen).map(({ name }) => name);
  return [
    ...Object.entries(leftovers)
      .filter(([, count]) => count !== 0)
      .map(([what, count]) => violation('left over', `${count} ${what}`, ...examples.slice(0, 3))),
    ...wrongGauges.map((text) => violation('metrics', text)),
    ...checkCopies(evidence),
    ...checkParked(evidence),
  ];
}

/** A message of ours is never parked: its event would wait for the reconciler. One that PostgreSQL has forgotten is. */
function checkParked({ journal, stored, parkedMessages }: Omit<Evidence, 'leftovers' | 'wrongGauges'>): Violation[] {
  const forged = new Set(entriesOf(journal, 'forged').flatMap(({ ids }) => ids));
  const known = new Set(stored.map(({ id }) => id));
  const isForgotten = (id: string): boolean => hasForgotten(journal) && !known.has(id);
  // A bundle is parked as a whole, because of one of its events.
  const mayBeParked = (id: string): boolean => forged.has(id) || isForgotten(id);
  const ours = parkedMessages.filter((ids) => !ids.split(' ').some(mayBeParked));
  return ours.map((id) =>
    violation('left over', `the message of ${id} was parked in events.safety, and nobody forged it`),
  );
}

/** PostgreSQL went back in time. RabbitMQ still has messages of the events that were lost. */
const hasForgotten = (journal: Evidence['journal']): boolean => entriesOf(journal, 'last kept').length > 0;

const isOpen = ({ status, entries }: StoredEvent): boolean =>
  !['COMPLETED', 'DLQ', 'DISCARDED'].includes(status) || entries.some(({ closedMs }) => closedMs === null);

function checkCopies({ journal, stored, deadLetterCopies }: Omit<Evidence, 'leftovers' | 'wrongGauges'>): Violation[] {
  const faults = new FaultWindows(journal);
  const copies = Map.groupBy(deadLetterCopies, (id) => id);
  const known = new Set(stored.map(({ id }) => id));
  const foreign = [...copies.keys()].filter((id) => !known.has(id) && !hasForgotten(journal));
  const wrong = stored.flatMap(({ id, name, entries }) => {
    const sent = entries.filter(({ destination }) => destination === 'dlq');
    const found = copies.get(id)?.length ?? 0;
    const mayBeMore = sent.some(({ createdMs, closedMs }) =>
      faults.explain(createdMs - AROUND_MS, closedMs ?? Infinity, bringsAgain),
    );
    const isMissing = found < sent.length && !faults.had('wipe');
    const isExtra = found > sent.length && !mayBeMore;
    return isMissing || isExtra
      ? [
          violation(
            'dead letter',
            `${name} has ${found} messages in events.dlq, and became a dead letter ${sent.length} times`,
            name,
          ),
        ]
      : [];
  });
  return [
    ...foreign.map((id) =>
      violation('dead letter', `events.dlq has a message for ${id}, which is no event of this run`),
    ),
    ...wrong,
  ];
}
