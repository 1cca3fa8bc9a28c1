import type { Evidence, StoredDelivery, StoredErasure, StoredEvent } from '../evidence/evidence';
import { entriesOf, type EntryOf } from '../run/journal';
import { bringsAgain, FaultWindows } from './fault-windows';
import { violation, type Violation } from './violation';

/** A delivery that a worker was sending may still arrive. */
const CALL_MS = 5_000;

/** An erasure removes what its events contain, and nothing else. Whatever says that they existed stays (I12). */
export function checkErasures({ journal, stored, erasures, readBack }: Evidence): Violation[] {
  const faults = new FaultWindows(journal);
  const received = Map.groupBy(entriesOf(journal, 'delivered'), ({ name }) => name);
  const erased = stored.filter((event) => event.erased !== undefined);
  return [
    ...checkAsked(entriesOf(journal, 'operator'), erasures),
    ...checkNamed(stored, erasures),
    ...erased.flatMap((event) => [
      ...checkTraces(event, readBack.get(event.name)?.text),
      ...event.deliveries.flatMap((delivery) => checkDelivery(event, delivery)),
      ...(received.get(event.name) ?? []).flatMap((one) => checkReceived(event, one, faults)),
    ]),
  ];
}

function checkAsked(asked: readonly EntryOf<'operator'>[], erasures: readonly StoredErasure[]): Violation[] {
  const known = new Set(erasures.map(({ id }) => id));
  const answered = asked.filter(({ action, status }) => action === 'erasure' && status === 202);
  return [
    ...answered
      .filter(({ body }) => !known.has(String(body?.erasureId)))
      .map(({ body }) => violation('lost', `erasure ${String(body?.erasureId)} was answered and does not exist`)),
    ...erasures
      .filter(({ status }) => status !== 'DONE')
      .map(({ id, status }) => violation('unsettled', `erasure ${id} is ${status}`)),
  ];
}

/** Exactly the events that erasures name are erased, and each is counted once. */
function checkNamed(stored: readonly StoredEvent[], erasures: readonly StoredErasure[]): Violation[] {
  const named = new Set(erasures.flatMap(({ eventIds }) => eventIds ?? []));
  const wrong = stored.filter(({ id, erased }) => named.has(id) !== (erased !== undefined));
  const counted = erasures.reduce((sum, { events }) => sum + events, 0);
  const erased = stored.filter((event) => event.erased !== undefined).length;
  return [
    ...wrong.map(({ name, id }) =>
      violation(
        'not erased',
        `${name} ${named.has(id) ? 'was to be' : 'is'} erased, and ${named.has(id) ? 'is not' : 'nobody asked for it'}`,
        name,
      ),
    ),
    ...(counted === erased
      ? []
      : [violation('operator', `erasures count ${counted} events, and ${erased} are erased`)]),
  ];
}

function checkTraces({ name, erased }: StoredEvent, read: string | undefined): Violation[] {
  const left = erased?.traces ?? [];
  const { payload, erasedAt } = JSON.parse(read ?? '{"payload":null,"erasedAt":"never acknowledged"}') as {
    payload: unknown;
    erasedAt?: string;
  };
  return [
    ...left.map((where) => violation('not erased', `${name} was erased, and something is left in ${where}`, name)),
    ...(payload === null && erasedAt !== undefined
      ? []
      : [violation('not erased', `${name} was erased, and is read back as ${read}`, name)]),
  ];
}

/** Nothing can send an erased event any more. An older delivery that a newer one has replaced may be of any status. */
function checkDelivery({ name, deliveries }: StoredEvent, delivery: StoredDelivery): Violation[] {
  const { destination, generation, status } = delivery;
  const isNewest = !deliveries.some((one) => one.destination === destination && one.generation > generation);
  if (!isNewest || status === 'DELIVERED' || status === 'SKIPPED') return [];
  return [violation('not erased', `${name} was erased, and its delivery to ${destination} is ${status}`, name)];
}

function checkReceived({ name, erased }: StoredEvent, one: EntryOf<'delivered'>, faults: FaultWindows): Violation[] {
  const erasedMs = erased?.erasedMs ?? Infinity;
  if (one.atMs <= erasedMs + CALL_MS || faults.explain(erasedMs, one.atMs, bringsAgain)) return [];
  const lateMs = Math.round(one.atMs - erasedMs);
  return [
    violation('not erased', `${name} was delivered to ${one.destination} ${lateMs} ms after it was erased`, name),
  ];
}
