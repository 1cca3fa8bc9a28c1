import { admin, type ReplayProgress } from '../../support/admin';
import type { Installation, ReceivingDestination } from '../installation';
import { largestDisplacement } from '../order';
import type { Report } from '../report';
import { send } from '../send';
import { reportDelivered, until, untilSettled } from '../settled';

const TENANT = 'paused';
/** By default 8 deliveries of a destination are in flight, and each of the two workers leases up to 64 ahead. */
const LEASED_AT_ONCE = 8 + 2 * 64;
const ALWAYS = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };

/**
 * Two of three destinations are paused while all events are sent, and then resumed. One of them takes a delivery at a
 * time, so that its order is exact. A fourth destination is added afterwards and backfilled. On a busy machine, a process
 * may hang while it holds a delivery, and the other one goes on: `judgesOrder` is for a machine that has time.
 */
export async function pause(
  installation: Installation,
  { events, judgesOrder = true }: { events: number; judgesOrder?: boolean },
  report: Report,
): Promise<void> {
  const open = await installation.destination(TENANT, 'open');
  const paused = await installation.destination(TENANT, 'paused');
  const strict = await installation.destination(TENANT, 'strict', { maxInFlight: 1 });
  const waiting = [paused, strict];
  for (const { id } of waiting) await operate(installation, `destinations/${id}/pause`, 200);
  await send(installation.url, TENANT, 0, events);
  await untilSettled(installation, TENANT, events);
  await reportWaiting(installation, waiting, events, report);
  const dueRanks = await Promise.all(waiting.map(({ id }) => readDueRanks(installation, id)));
  for (const { id } of waiting) await operate(installation, `destinations/${id}/resume`, 200);
  await untilSettled(installation, TENANT, 3 * events);
  report.exactly('events of the destination that was not paused', open.arrivals.accepted.size, events);
  reportOrder('paused', paused, dueRanks[0], judgesOrder ? LEASED_AT_ONCE : events, report);
  reportOrder('paused, maxInFlight 1', strict, dueRanks[1], judgesOrder ? 0 : events, report);
  await backfill(installation, [open, paused, strict], events, report);
  report.exactly('processes that ended by themselves', installation.crashes.length, 0);
}

async function operate<T>(installation: Installation, path: string, expected: number, body?: object): Promise<T> {
  const answer = await admin<T>(installation.url, path, body ?? {});
  if (answer.status !== expected) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.body;
}

async function reportWaiting(
  installation: Installation,
  waiting: readonly ReceivingDestination[],
  events: number,
  report: Report,
): Promise<void> {
  const rows = await installation.rows<{ status: string; count: number }>(
    `select status, count(*)::int from reporting.deliveries where destination_id = any ($1::uuid[]) group by status`,
    [waiting.map(({ id }) => id)],
  );
  const pending = rows.find(({ status }) => status === 'PENDING')?.count ?? 0;
  report.exactly(
    'deliveries that wait (PENDING) while their destinations are paused',
    pending,
    waiting.length * events,
  );
  const requests = waiting.reduce((sum, { arrivals }) => sum + arrivals.requests, 0);
  report.exactly('requests to destinations while they are paused', requests, 0);
}

/** When each delivery became due, by event. Deliveries that were recorded together became due at the same time. */
async function readDueRanks(installation: Installation, destinationId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await installation.rows<{ eventId: string; rank: string }>(
    `select event_id as "eventId", lpad((extract(epoch from due_at) * 1000000)::bigint::text, 20, '0') as rank
       from delivery_queue where destination_id = $1`,
    [destinationId],
  );
  return new Map(rows.map(({ eventId, rank }) => [eventId, rank]));
}

function reportOrder(
  name: string,
  { arrivals }: ReceivingDestination,
  dueRanks: ReadonlyMap<string, string> | undefined,
  most: number,
  report: Report,
): void {
  const arrived = [...arrivals.accepted.keys()];
  const byDue = largestDisplacement(arrived, (id) => dueRanks?.get(id) ?? '');
  report.figure(`oldest first (${name}): the largest displacement is ${byDue} of at most ${most}`, byDue <= most);
  report.note(`displacement in the order of event ids (${name}): ${displacementOfIds({ arrivals })}`);
}

const displacementOfIds = ({ arrivals }: Pick<ReceivingDestination, 'arrivals'>): number =>
  largestDisplacement([...arrivals.accepted.keys()], (id) => id);

async function backfill(
  installation: Installation,
  others: readonly ReceivingDestination[],
  events: number,
  report: Report,
): Promise<void> {
  const countOthers = (): number => others.reduce((sum, { arrivals }) => sum + arrivals.requests, 0);
  const before = countOthers();
  const added = await installation.destination(TENANT, 'added');
  report.exactly('requests to the added destination before its backfill', added.arrivals.requests, 0);
  const { replayId } = await operate<{ replayId: string }>(
    installation,
    `destinations/${added.id}/backfill`,
    202,
    ALWAYS,
  );
  await untilSettled(installation, TENANT, 4 * events);
  const readProgress = async (): Promise<ReplayProgress> =>
    (await admin<ReplayProgress>(installation.url, `replays/${replayId}`)).body;
  await until(
    async () => Number((await readProgress()).status === 'DONE'),
    (isDone) => isDone === 1,
  );
  const { status, progress } = await readProgress();
  report.note(`the backfill is ${status}: ${JSON.stringify(progress)}`);
  report.exactly('events that the added destination got by the backfill', added.arrivals.accepted.size, events);
  report.note(`displacement in the order of event ids (backfill): ${displacementOfIds(added)}`);
  report.exactly('requests to the added destination', added.arrivals.requests, events);
  report.exactly('requests to the others because of the backfill', countOthers() - before, 0);
  const destinationIds = [...others, added].map(({ id }) => id);
  await reportDelivered(installation, { tenant: TENANT, destinationIds, events }, report);
}
