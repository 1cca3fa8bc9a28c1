import type { Evidence, StoredEvent } from '../evidence/evidence';
import { DESTINATIONS, takes, type PlannedDestination } from '../load/operator/destinations';
import { entriesOf, type EntryOf } from '../run/journal';
import { bringsAgain, FaultWindows, hitsDatabase } from './fault-windows';
import { violation, type Violation } from './violation';

type Delivered = EntryOf<'delivered'>;
interface Span {
  /** It may be disabled from here on. */
  fromMs: number;
  /** It is disabled for certain from here on; Infinity if the request to disable it was not answered with 200. */
  surelyMs: number;
  /** It is enabled for certain from here on. */
  toMs: number;
}

/** Workers apply a change within half a second after its response; a call may be in progress then. */
const HEEDED_MS = 2_500;
/** Longest time from the start of an attempt to its success, and during a database fault. */
const ATTEMPT_MS = { usual: 10_000, most: 30_000 };
const CALL_MS = 3_000;

/** I7: each destination accepted each event at least once per generation, and more often only because of a fault. */
export function checkDeliveries(evidence: Evidence): Violation[] {
  const { journal, stored } = evidence;
  const deliveries = Map.groupBy(entriesOf(journal, 'delivered'), ({ destination }) => destination);
  const faults = new FaultWindows(journal);
  const off = switchedOff(journal);
  return [
    ...[...deliveries.values()].flat().flatMap((delivered) => checkContent(delivered, evidence)),
    ...DESTINATIONS.flatMap((destination) => {
      const own = deliveries.get(destination.name) ?? [];
      const byName = Map.groupBy(own, ({ name }) => name);
      const events = stored.filter(({ tenant, type }) => tenant === destination.tenant && takes(destination, type));
      const spans = destination.switched ? off : [];
      return [
        ...events.flatMap((event) =>
          checkTaken(event, byName.get(event.name) ?? [], { destination, off: spans, faults }),
        ),
        ...events.flatMap((event) => checkRepeats(event, byName.get(event.name) ?? [], destination, faults)),
        ...checkWhileOff(own, spans, faults),
      ];
    }),
  ];
}

function checkTaken(
  { name, attempts }: StoredEvent,
  deliveries: Delivered[],
  { destination, off, faults }: { destination: PlannedDestination; off: readonly Span[]; faults: FaultWindows },
): Violation[] {
  const mayHaveSkipped = (atMs: number): boolean => {
    const isSlow = faults.explain(atMs - ATTEMPT_MS.most, atMs, hitsDatabase);
    const afterMs = isSlow ? ATTEMPT_MS.most : ATTEMPT_MS.usual;
    return off.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs + afterMs);
  };
  const owed = attempts.filter(({ status, atMs }) => status === 'SUCCESS' && !mayHaveSkipped(atMs)).length;
  const taken = deliveries.filter(isTaken).length;
  const text = `${destination.name} accepted ${name} ${taken} times, and ${owed} generations succeeded`;
  return taken >= owed ? [] : [violation('undelivered', text, name)];
}

/** Each generation is delivered once, and each delivery belongs to a recorded attempt. */
function checkRepeats(
  { name, attempts, generation, entries }: StoredEvent,
  deliveries: Delivered[],
  { name: destination }: PlannedDestination,
  faults: FaultWindows,
): Violation[] {
  const [first, last] = [deliveries[0], deliveries.at(-1)];
  if (!first || !last) return [];
  const taken = deliveries.filter(isTaken).length;
  const isRight = taken <= generation && deliveries.length <= attempts.length;
  const timedOut = attempts.some(({ reasonCode, message }) => reasonCode === 'TIMEOUT' || message?.includes('TIMEOUT'));
  const disturbed = (fromMs: number, toMs: number): boolean =>
    faults.explain(fromMs - CALL_MS, toMs + CALL_MS, bringsAgain);
  // A fault while an entry is published can make two messages of it, which may be delivered much later.
  const publishedTwice = entries.some(({ createdMs, closedMs }) => disturbed(createdMs, closedMs ?? createdMs));
  if (isRight || timedOut || publishedTwice || disturbed(first.atMs, last.atMs)) return [];
  const text = `${destination} got ${name} ${deliveries.length} times and accepted it ${taken} times: ${attempts.length} attempts, ${generation} generations, and no fault explains it`;
  return [violation('repeated', text, name)];
}

/** The delivered event equals the one that is read back, and is signed. */
function checkContent(
  { name, webhookId, body, unverifiedBy, destination }: Delivered,
  evidence: Evidence,
): Violation[] {
  const tenant = DESTINATIONS.find((known) => known.name === destination)?.tenant;
  const planned = evidence.sent.get(name);
  const read = evidence.readBack.get(name);
  const found: Violation[] = [];
  if (!planned || planned.tenant !== tenant) {
    return [violation('changed', `${destination} got an event that is not for it: ${body.slice(0, 500)}`, name)];
  }
  if (unverifiedBy.length > 0) {
    found.push(
      violation(
        'unsigned',
        `${unverifiedBy.join(' and ')} cannot verify the delivery of ${name} to ${destination}`,
        name,
      ),
    );
  }
  if (read?.httpStatus !== 200) return found; // never acknowledged, or reported by another rule
  const { id } = JSON.parse(read.text) as { id: string };
  if (webhookId !== id) found.push(violation('doubled', `${name} was delivered with webhook-id ${webhookId}`, name));
  // The text that is read back starts with the event and continues with its status.
  const isSame =
    body.endsWith('}') && read.text.startsWith(body.slice(0, -1)) && read.text.charAt(body.length - 1) === ',';
  if (!isSame)
    found.push(violation('changed', `${name} was delivered as ${body}, and is read back as ${read.text}`, name));
  return found;
}

function checkWhileOff(deliveries: Delivered[], off: readonly Span[], faults: FaultWindows): Violation[] {
  return deliveries
    .filter(({ atMs }) => off.some(({ surelyMs, toMs }) => surelyMs + HEEDED_MS < atMs && atMs < toMs))
    .filter(({ atMs }) => !faults.explain(atMs - CALL_MS, atMs, bringsAgain))
    .map(({ name, destination }) =>
      violation('repeated', `${name} was delivered to ${destination}, which was disabled`, name),
    );
}

const isTaken = ({ status }: Delivered): boolean => status !== undefined && status < 300;

function switchedOff(journal: Evidence['journal']): Span[] {
  const switches = entriesOf(journal, 'operator').filter(({ action }) => action === 'destination.switch');
  const spans: Span[] = [];
  for (const { request, sentMs, atMs, status } of switches) {
    const open = spans.at(-1);
    if (request.enabled === false) {
      spans.push({ fromMs: sentMs, surelyMs: status === 200 ? atMs : Infinity, toMs: Infinity });
    } else if (open && status === 200) open.toMs = Math.min(open.toMs, atMs);
  }
  return spans;
}
