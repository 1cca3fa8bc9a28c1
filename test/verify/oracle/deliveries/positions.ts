import type { StoredEvent } from '../../evidence/evidence';
import { entriesOf, type Entry } from '../../run/journal';
import { answersIn } from '../answers';
import { violation, type Violation } from '../violation';

/** An event that was sent after the response to another of its tenant and key comes after that one in their order. */
export function checkPositions(stored: readonly StoredEvent[], journal: readonly Entry[]): Violation[] {
  const sentMs = earliest(entriesOf(journal, 'sent').flatMap(({ names, atMs }) => names.map((name) => [name, atMs])));
  const answeredMs = earliest(
    answersIn(journal).flatMap(({ told, atMs }) =>
      told.flatMap(({ name, outcome, fields }) =>
        outcome === 'rejected' || outcome === 'unverified'
          ? []
          : [[typeof fields?.id === 'string' ? fields.id : name, atMs] as const],
      ),
    ),
  );
  const ackedMs = ({ id, name }: StoredEvent): number =>
    Math.min(answeredMs.get(id) ?? Infinity, answeredMs.get(name) ?? Infinity);
  const keys = Map.groupBy(stored, ({ tenant, partitionKey }) => `${tenant} ${partitionKey}`);
  return [...keys.values()].flatMap((events) => {
    let first: StoredEvent | undefined; // acknowledged first, of those that come later in the order
    return events
      .sort((a, b) => b.position - a.position)
      .flatMap((event) => {
        const found = first && ackedMs(first) < (sentMs.get(event.name) ?? -Infinity) ? [tooEarly(event, first)] : [];
        if (!first || ackedMs(event) < ackedMs(first)) first = event;
        return found;
      });
  });
}

const tooEarly = (event: StoredEvent, other: StoredEvent): Violation => {
  const text = `${event.name} was sent after the response to ${other.name} of its key, and comes before it`;
  return violation('out of order', text, event.name, other.name);
};

function earliest(times: readonly (readonly [string, number])[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const [name, atMs] of times) found.set(name, Math.min(atMs, found.get(name) ?? Infinity));
  return found;
}
