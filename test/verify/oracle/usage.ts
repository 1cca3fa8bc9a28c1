import type { Evidence, StoredEvent, UsageRow } from '../evidence/evidence';
import { violation, type Violation } from './violation';

type Sums = ReadonlyMap<string, Pick<UsageRow, 'events' | 'bytes'>>;

/**
 * I7: usage counts each event once per generation that succeeds, by tenant, day of receipt and type. A dead letter counts
 * when a retry succeeds.
 */
export function checkUsage({ stored, usage }: Evidence): Violation[] {
  const succeeded = sumsOf(stored, succeededIn);
  const counted: Sums = new Map(usage.map((row) => [keyOf(row.tenant, row.day, row.type), row]));
  return [...new Set([...succeeded.keys(), ...counted.keys()])].flatMap((key) => {
    if (textOf(counted, key) === textOf(succeeded, key)) return [];
    return [violation('usage', `${key}: ${textOf(counted, key)} counted, ${textOf(succeeded, key)} succeeded`)];
  });
}

/** Generations that have succeeded. */
const succeededIn = ({ attempts }: StoredEvent): number[] =>
  attempts.filter(({ status }) => status === 'SUCCESS').map(({ generation }) => generation);

const keyOf = (tenant: string, day: string, type: string): string => `${tenant} ${day} ${type}`;

function textOf(sums: Sums, key: string): string {
  const { events = 0, bytes = 0 } = sums.get(key) ?? {};
  return `${events} events of ${bytes} bytes`;
}

/** Sums over all events, each counted once per generation in the list. */
function sumsOf(stored: readonly StoredEvent[], generationsOf: (event: StoredEvent) => number[]): Sums {
  const sums = new Map<string, { events: number; bytes: number }>();
  for (const event of stored) {
    const times = new Set(generationsOf(event)).size;
    if (times === 0) continue;
    const key = keyOf(event.tenant, event.receivedAt.slice(0, 10), event.type);
    const { events = 0, bytes = 0 } = sums.get(key) ?? {};
    sums.set(key, { events: events + times, bytes: bytes + times * event.sizeBytes });
  }
  return sums;
}
