import type { Evidence, StoredEvent, UsageRow } from '../evidence/evidence';
import { violation, type Violation } from './violation';

/**
 * I7: usage counts each event once per generation that succeeds, by tenant, day of receipt and type. A dead letter
 * counts when a retry succeeds.
 */
export function checkUsage({ stored, usage }: Evidence): Violation[] {
  const events = Map.groupBy(stored, ({ tenant, receivedAt, type }) => keyOf(tenant, receivedAt.slice(0, 10), type));
  const counted = new Map(usage.map((row) => [keyOf(row.tenant, row.day, row.type), row]));
  return [...new Set([...events.keys(), ...counted.keys()])].flatMap((key) => {
    const own = events.get(key) ?? [];
    const [is, should] = [textOf(counted.get(key)), textOf(succeededOf(own))];
    if (is === should) return [];
    return [violation('usage', `${key}: ${is} counted, ${should} succeeded`, ...mostTried(own))];
  });
}

const keyOf = (tenant: string, day: string, type: string): string => `${tenant} ${day} ${type}`;

const textOf = ({ events, bytes }: Pick<UsageRow, 'events' | 'bytes'> = { events: 0, bytes: 0 }): string =>
  `${events} events of ${bytes} bytes`;

function succeededOf(stored: readonly StoredEvent[]): Pick<UsageRow, 'events' | 'bytes'> {
  const times = stored.map(({ attempts }) => {
    const successes = attempts.filter(({ status }) => status === 'SUCCESS');
    return new Set(successes.map(({ generation }) => generation)).size;
  });
  return {
    events: times.reduce((sum, n) => sum + n, 0),
    bytes: times.reduce((sum, n, i) => sum + n * (stored[i]?.sizeBytes ?? 0), 0),
  };
}

/** The events that most likely explain a difference. */
const mostTried = (stored: readonly StoredEvent[]): string[] =>
  [...stored]
    .sort((a, b) => b.attempts.length - a.attempts.length)
    .slice(0, 3)
    .map(({ name }) => name);
