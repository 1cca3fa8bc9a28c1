import type { Evidence, StoredEvent } from '../../evidence/evidence';
import { DESTINATIONS, type PlannedDestination } from '../../load/operator/destinations';
import { entriesOf, type Entry } from '../../run/journal';
import { FaultWindows } from '../fault-windows';
import { violation, type Violation } from '../violation';
import { checkPositions } from './positions';

/** Longest time from the start of the transaction that records a delivery to its commit. */
const RECORDED_MS = 10_000;
/** Longest time from the record of an attempt to the arrival of its request, as clocks of PostgreSQL and the run see it. */
const LATE_MS = 3_000;
/** A worker that stands still for longer than its leases sends later what it had claimed. */
const LEASE_MS = 20_000;
const DISCARDS = ['deliveries.discard', 'dlq.discard'];

/** A request that an ordered destination got. */
interface Arrival {
  event: StoredEvent;
  atMs: number;
}

/** An event that was overtaken by a later one of its key, from when it was to go first until it went or for good. */
interface Overtaken {
  event: StoredEvent;
  by: StoredEvent;
  fromMs: number;
  toMs: number;
  why: string;
}

/**
 * The events of a key have one order that follows their responses, and each ordered destination gets them in it: none comes
 * before an earlier one, or between two tries of an earlier one.
 */
export function checkOrder({ journal, stored }: Pick<Evidence, 'journal' | 'stored'>): Violation[] {
  const ordered = DESTINATIONS.filter(({ onPoison }) => onPoison !== undefined);
  const tenants = new Set<string>(ordered.map(({ tenant }) => tenant));
  const events = stored.filter(({ tenant }) => tenants.has(tenant));
  return [
    ...checkPositions(events, journal),
    ...ordered.flatMap((destination) => checkDestination(destination, events, journal)),
  ];
}

function checkDestination(
  destination: PlannedDestination,
  stored: readonly StoredEvent[],
  journal: readonly Entry[],
): Violation[] {
  const events = new Map(stored.map((event) => [event.id, event]));
  const arrivals = entriesOf(journal, 'delivered')
    .filter((one) => one.destination === destination.name)
    .flatMap(({ webhookId, atMs }): Arrival[] => {
      const event = events.get(webhookId.split('.')[0] as string); // a revision has its number after the id
      return event ? [{ event, atMs }] : [];
    });
  const keys = [...Map.groupBy(arrivals, ({ event }) => event.partitionKey).values()];
  const faults = new FaultWindows(journal);
  const found = keys
    .flatMap((of) => [...beforeFirst(of), ...betweenTries(of, destination), ...afterFailure(of, destination)])
    .filter(({ toMs }) => !mayHaveStoodStill(faults, toMs));
  return withoutDiscarded(found, destination, journal).map(({ event, by, why }) =>
    violation(
      'out of order',
      `${destination.name} got ${by.name} ${why} ${event.name} of its key`,
      event.name,
      by.name,
    ),
  );
}

/** Events whose first request came after one of a later event. Those of backfills have not been for the destination at first. */
function beforeFirst(arrivals: readonly Arrival[]): Overtaken[] {
  const seen = new Set<StoredEvent>();
  let latest: Arrival | undefined;
  return arrivals.flatMap((arrival) => {
    const { event, atMs } = arrival;
    const by = latest && latest.event.position > event.position ? latest : undefined;
    const isFirst = !seen.has(event);
    seen.add(event);
    if (!by) latest = arrival;
    return by && isFirst ? [{ event, by: by.event, fromMs: -Infinity, toMs: atMs, why: 'before' }] : [];
  });
}

/** Events that another one came between two tries of, unless the second one is of a delivery that was made or opened later. */
function betweenTries(arrivals: readonly Arrival[], destination: PlannedDestination): Overtaken[] {
  const last = new Map<StoredEvent, number>();
  return arrivals.flatMap(({ event, atMs: toMs }, i) => {
    const before = last.get(event);
    last.set(event, i);
    if (before === undefined) return [];
    const { atMs: fromMs } = arrivals[before] as Arrival;
    const by = arrivals.slice(before, i).find((one) => one.event.position > event.position)?.event;
    if (!by || isOpenedBetween(event, destination, { fromMs, toMs })) return [];
    return [{ event, by, fromMs, toMs, why: 'between two tries of' }];
  });
}

/** A replay or backfill has made another delivery, or an operator has retried one that had failed for good without blocking. */
function isOpenedBetween(
  { deliveries }: StoredEvent,
  { name, onPoison }: PlannedDestination,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): boolean {
  const own = deliveries.filter(({ destination }) => destination === name);
  const isMade = own.some(
    ({ generation, createdMs }) => generation > 1 && createdMs > fromMs - RECORDED_MS && createdMs < toMs,
  );
  const hasFailed = own
    .flatMap(({ log }) => log)
    .some(({ isFailure, atMs }) => isFailure && atMs > fromMs - LATE_MS && atMs < toMs);
  return isMade || (hasFailed && onPoison === 'skip');
}

/** Events whose delivery has failed for good, which blocks the key, before a later one came. */
function afterFailure(arrivals: readonly Arrival[], { name, onPoison }: PlannedDestination): Overtaken[] {
  if (onPoison !== 'block') return [];
  const last = new Map(arrivals.map(({ event }, i) => [event, i]));
  return [...last].flatMap(([event, i]) => {
    const newest = event.deliveries.filter(({ destination }) => destination === name).at(-1);
    const by = arrivals.slice(i).find((one) => one.event.position > event.position);
    if (newest?.status !== 'FAILED' || !by) return [];
    return [{ event, by: by.event, fromMs: (arrivals[i] as Arrival).atMs, toMs: by.atMs, why: 'after the failure of' }];
  });
}

const mayHaveStoodStill = (faults: FaultWindows, atMs: number): boolean =>
  faults
    .during('stop', (target) => target.startsWith('worker'))
    .some(({ fromMs, toMs }) => toMs - fromMs > LEASE_MS && fromMs < atMs && atMs < toMs + LEASE_MS);

/**
 * Without as many events as operators have discarded, if they did so while the event was to go first: nobody waits for what
 * is discarded, and it may have been retried later.
 */
function withoutDiscarded(
  found: readonly Overtaken[],
  { tenant }: PlannedDestination,
  journal: readonly Entry[],
): readonly Overtaken[] {
  const discards = entriesOf(journal, 'operator').filter(
    ({ action, request, status }) =>
      DISCARDS.includes(action) &&
      (request.tenantId === tenant || request.all === true) &&
      (status === 202 || status === undefined),
  );
  const isMaybe = ({ fromMs, toMs }: Overtaken): boolean =>
    discards.some(({ sentMs, atMs }) => fromMs < atMs + RECORDED_MS && sentMs < toMs);
  const most = discards.reduce((sum, { body, request }) => sum + Number(body?.discarded ?? request.limit), 0);
  const names = new Set(found.filter(isMaybe).map(({ event }) => event.name));
  return names.size > most ? found : found.filter((one) => !isMaybe(one));
}
