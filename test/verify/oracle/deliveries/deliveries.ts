import type { Evidence, StoredDelivery, StoredEvent } from '../../evidence/evidence';
import { DESTINATIONS, takes, type PlannedDestination } from '../../load/operator/destinations';
import { entriesOf, type EntryOf } from '../../run/journal';
import { bringsAgain, FaultWindows, hitsDatabase } from '../fault-windows';
import { violation, type Violation } from '../violation';
import { checkBackfills } from './backfills';
import { checkContent } from './content';
import type { Finding } from './finding';
import { checkLog } from './log';
import { compareWithReceiver } from './receiver';
import { checkRevised } from './revisions';
import { switchedOff, type Span } from './switched-off';

/** Workers apply a change within half a second after its response; a call may be in progress then. */
const HEEDED_MS = 2_500;
const CALL_MS = 3_000;
/** Longest time from the start of a transaction to its commit, and during a database fault. */
const TRANSACTION_MS = { usual: 10_000, most: 30_000 };

/** I7: each destination has one delivery for each generation of an event that succeeded, and each is settled rightly. */
export function checkDeliveries(evidence: Evidence): Violation[] {
  const { journal, stored } = evidence;
  const delivered = entriesOf(journal, 'delivered');
  const received = Map.groupBy(delivered, ({ destination, name }) => `${destination} ${name}`);
  const faults = new FaultWindows(journal);
  const off = switchedOff(journal);
  return [
    ...delivered.flatMap((one) => checkContent(one, evidence)),
    ...stored.flatMap((event) => [
      ...checkDestinations(event),
      ...destinationsOf(event).flatMap((destination) => {
        const own = event.deliveries.filter((delivery) => delivery.destination === destination.name);
        const spans = destination.switched ? off : [];
        const requests = received.get(`${destination.name} ${event.name}`) ?? [];
        return [
          ...checkGenerations(event, own),
          ...checkBackfills(own),
          ...own.flatMap((delivery) => checkSettled(delivery, spans, faults)),
          ...own.flatMap(checkLog),
          ...compareWithReceiver(own, requests, faults),
        ].map(([breach, text]) => violation(breach, `${event.name} to ${destination.name}: ${text}`, event.name));
      }),
    ]),
    ...checkRevised(journal, delivered, faults),
    ...checkWhileOff(delivered, off, faults),
    ...checkWhilePaused(delivered, entriesOf(journal, 'paused'), faults),
  ];
}

const destinationsOf = ({ tenant, type }: StoredEvent): PlannedDestination[] =>
  DESTINATIONS.filter((destination) => destination.tenant === tenant && takes(destination, type));

function checkDestinations(event: StoredEvent): Violation[] {
  const right = new Set(destinationsOf(event).map(({ name }) => name));
  return event.deliveries
    .filter(({ destination }) => !right.has(destination))
    .map(({ destination }) =>
      violation('repeated', `${event.name} has a delivery to ${destination}, which does not take it`, event.name),
    );
}

function checkGenerations({ attempts }: StoredEvent, deliveries: readonly StoredDelivery[]): Finding[] {
  const succeeded = new Set(attempts.filter(({ status }) => status === 'SUCCESS').map(({ generation }) => generation));
  const generations = deliveries.map(({ generation }) => generation).sort((a, b) => a - b);
  const made = deliveries.filter(({ isBackfilled }) => !isBackfilled).length;
  const hasGap = generations.some((generation, i) => generation !== i + 1);
  return [
    ...(hasGap ? [['doubled', `its deliveries have the generations ${generations.join()}`] as const] : []),
    ...(made < succeeded.size
      ? [['undelivered', `${made} deliveries, and ${succeeded.size} generations succeeded`] as const]
      : []),
    ...(made > succeeded.size
      ? [['repeated', `${made} deliveries, and ${succeeded.size} generations succeeded`] as const]
      : []),
  ];
}

/** Every delivery comes to its end, and only a disabled destination is left out. */
function checkSettled(
  { status, settledMs, reasonCode }: StoredDelivery,
  off: readonly Span[],
  faults: FaultWindows,
): Finding[] {
  if (status === 'OPEN') return [['unsettled', 'the delivery stays open']];
  if (status !== 'SKIPPED' || reasonCode === 'ERASED') return []; // checkErasures looks at these
  const atMs = settledMs ?? Infinity; // when its transaction began
  const isSlow = faults.explain(atMs, atMs + TRANSACTION_MS.most, hitsDatabase);
  const endedMs = atMs + (isSlow ? TRANSACTION_MS.most : TRANSACTION_MS.usual);
  if (off.some(({ fromMs, toMs }) => fromMs <= endedMs && atMs <= toMs)) return [];
  return [['undelivered', 'the delivery was skipped, and the destination was enabled']];
}

function checkWhileOff(
  delivered: readonly EntryOf<'delivered'>[],
  off: readonly Span[],
  faults: FaultWindows,
): Violation[] {
  const switched = new Set(DESTINATIONS.filter((one) => one.switched).map(({ name }) => name));
  return delivered
    .filter(({ destination }) => switched.has(destination))
    .filter(({ atMs }) => off.some(({ surelyMs, againMs }) => surelyMs + HEEDED_MS < atMs && atMs < againMs))
    .filter(({ atMs }) => !faults.explain(atMs - CALL_MS, atMs, bringsAgain))
    .map(({ name, destination }) =>
      violation('repeated', `${name} was delivered to ${destination}, which was disabled`, name),
    );
}

/** A worker may have begun a request, or may not know of the pause, for a short time. */
function checkWhilePaused(
  delivered: readonly EntryOf<'delivered'>[],
  pauses: readonly EntryOf<'paused'>[],
  faults: FaultWindows,
): Violation[] {
  return pauses.flatMap(({ destination: paused, surelyMs, toMs }) =>
    delivered
      .filter(({ destination, atMs }) => destination === paused && surelyMs + HEEDED_MS < atMs && atMs < toMs)
      .filter(({ atMs }) => !faults.explain(atMs - CALL_MS, atMs, bringsAgain))
      .map(({ name }) => violation('repeated', `${name} was delivered to ${paused}, which was paused`, name)),
  );
}
