import type { StoredDelivery, StoredDeliveryAttempt } from '../../evidence/evidence';
import type { EntryOf } from '../../run/journal';
import { bringsAgain, type FaultWindows } from '../fault-windows';
import type { Finding } from './finding';

type Received = EntryOf<'delivered'>;

const CALL_MS = 3_000;
/** Longest time from a fault to the record of the attempt that it made fail. */
const RECORDED_MS = 6_000;

/**
 * I7, I9: compares the deliveries of an event to a destination with the requests that the receiver got. Only a fault, or a
 * timeout on a slow machine, may hide the receiver's response. What was sent while the event was erased is not recorded.
 */
export function compareWithReceiver(
  deliveries: readonly StoredDelivery[],
  received: readonly Received[],
  faults: FaultWindows,
): Finding[] {
  const log = deliveries.flatMap((delivery) => delivery.log);
  return [
    ...checkTaken(deliveries, received),
    ...(deliveries.some(({ reasonCode }) => reasonCode === 'ERASED') ? [] : checkMore(log, received, faults)),
    ...checkFewer(log, received, faults),
  ];
}

/** What is DELIVERED was accepted. */
function checkTaken(deliveries: readonly StoredDelivery[], received: readonly Received[]): Finding[] {
  const taken = received.filter(({ status }) => status !== undefined && status < 300).length;
  const delivered = deliveries.filter(({ status }) => status === 'DELIVERED').length;
  return taken >= delivered ? [] : [['undelivered', `accepted ${taken} times, and DELIVERED ${delivered} times`]];
}

/**
 * Each request is an attempt with its status. A request without an answer is an attempt that failed, or one that timed out.
 * The other attempts that timed out may have been answered too late.
 */
function checkMore(
  log: readonly StoredDeliveryAttempt[],
  received: readonly Received[],
  faults: FaultWindows,
): Finding[] {
  const [first, last] = [received[0], received.at(-1)];
  if (!first || !last || faults.explain(first.atMs - CALL_MS, last.atMs + CALL_MS, bringsAgain)) return [];
  const timedOut = log.filter(({ reasonCode }) => reasonCode === 'TIMEOUT').length;
  const failed = log.filter(({ statusCode, reasonCode }) => statusCode === null && reasonCode !== 'TIMEOUT').length;
  const unanswered = received.filter(({ status }) => status === undefined).length;
  const lost = Math.max(0, timedOut - Math.max(0, unanswered - failed));
  const answered = Map.groupBy(received, ({ status }) => status);
  const extra = [...answered].flatMap(([status, requests]) => {
    if (status === undefined) return [];
    const recorded = log.filter(({ statusCode }) => statusCode === status).length;
    return requests.length > recorded + lost
      ? [`${requests.length} requests answered ${status}, ${recorded} recorded`]
      : [];
  });
  if (extra.length === 0 && received.length > log.length)
    extra.push(`${received.length} requests, ${log.length} attempts`);
  return extra.map((text) => ['repeated', `${text}, and no fault explains it`] as const);
}

/** Each recorded response was given by the receiver, and each missing one belongs to a request that it failed or to a fault. */
function checkFewer(
  log: readonly StoredDeliveryAttempt[],
  received: readonly Received[],
  faults: FaultWindows,
): Finding[] {
  const answers = Map.groupBy(log, ({ statusCode }) => statusCode);
  const invented = [...answers].flatMap(([statusCode, attempts]): Finding[] => {
    if (statusCode === null) return [];
    const given = received.filter(({ status }) => status === statusCode).length;
    if (attempts.length <= given) return [];
    return [
      [
        'undelivered',
        `${attempts.length} attempts were answered ${statusCode}, and the receiver did so ${given} times`,
      ],
    ];
  });
  const unexplained = (answers.get(null) ?? []).filter(
    ({ reasonCode, atMs }) => reasonCode !== 'TIMEOUT' && !faults.explain(atMs - RECORDED_MS, atMs, bringsAgain),
  );
  const unanswered = received.filter(({ status }) => status === undefined).length;
  if (unexplained.length <= unanswered) return invented;
  return [
    ...invented,
    ['failed by an outage', `${unexplained.length} attempts failed, and the receiver failed ${unanswered} requests`],
  ];
}
