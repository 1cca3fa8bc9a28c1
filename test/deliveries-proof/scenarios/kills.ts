import type { Installation, ReceivingDestination } from '../installation';
import type { Report } from '../report';
import { send } from '../send';
import { reportDelivered, until, untilSettled } from '../settled';

const DESTINATIONS = ['a', 'b', 'c', 'd'];
/** The sender waits when the slowest destination is this far behind: deliveries begin while events go on arriving. */
const MOST_AHEAD = 1_000;
const STEP = 200;

/** Sends events to four destinations without a fault, and again while workers are killed. */
export async function kills(
  installation: Installation,
  { events, times = 20 }: { events: number; times?: number },
  report: Report,
): Promise<void> {
  await run(installation, { tenant: 'undisturbed', events, times: 0 }, report);
  await run(installation, { tenant: 'killed', events, times }, report);
  report.exactly('processes that ended by themselves', installation.crashes.length, 0);
  for (const crash of installation.crashes) report.note(crash);
}

async function run(
  installation: Installation,
  { tenant, events, times }: { tenant: string; events: number; times: number },
  report: Report,
): Promise<void> {
  const destinations: ReceivingDestination[] = [];
  for (const name of DESTINATIONS) destinations.push(await installation.destination(tenant, name));
  const startedMs = Date.now();
  const sending = sendAsTheyArrive(installation, tenant, events, destinations);
  const killing = killWorkers(installation, times, destinations, events * DESTINATIONS.length);
  const [, leased] = await Promise.all([sending, killing]);
  await untilSettled(installation, tenant, events * DESTINATIONS.length);
  const seconds = Math.round((Date.now() - startedMs) / 1_000);
  report.note(`${events} events to ${DESTINATIONS.length} destinations, ${times} kills, settled after ${seconds} s`);
  if (times > 0) report.note(`deliveries leased at the moments of the kills: ${leased}`);
  const destinationIds = destinations.map(({ id }) => id);
  await reportDelivered(installation, { tenant, destinationIds, events }, report);
  reportReceived(destinations, { events, isDisturbed: times > 0 }, report);
}

function reportReceived(
  destinations: readonly ReceivingDestination[],
  { events, isDisturbed }: { events: number; isDisturbed: boolean },
  report: Report,
): void {
  const sum = (of: (destination: ReceivingDestination) => number): number =>
    destinations.reduce((total, destination) => total + of(destination), 0);
  const pairs = events * destinations.length;
  report.exactly(
    'webhook-ids that the receivers saw at least once',
    sum(({ arrivals }) => arrivals.accepted.size),
    pairs,
  );
  const repeated = sum(({ arrivals }) => arrivals.repeated);
  if (isDisturbed) report.note(`webhook-ids that the receivers saw again: ${repeated}`);
  else report.exactly('webhook-ids that the receivers saw again', repeated, 0);
}

/** Sends no faster than the slowest destination receives. */
async function sendAsTheyArrive(
  installation: Installation,
  tenant: string,
  events: number,
  destinations: readonly ReceivingDestination[],
): Promise<void> {
  const slowest = (): number => Math.min(...destinations.map(({ arrivals }) => arrivals.accepted.size));
  for (let sent = 0; sent < events; sent += STEP) {
    await until(slowest, (received) => sent - received < MOST_AHEAD);
    await send(installation.url, tenant, sent, Math.min(events, sent + STEP));
  }
}

/**
 * Kills the workers in turn, each time that another part of the deliveries has arrived. The killed one is started again.
 * Returns how many deliveries were leased when they were killed.
 */
async function killWorkers(
  installation: Installation,
  times: number,
  destinations: readonly ReceivingDestination[],
  deliveries: number,
): Promise<number> {
  const arrived = (): number => destinations.reduce((sum, { arrivals }) => sum + arrivals.accepted.size, 0);
  const { workers } = installation;
  let leased = 0;
  for (let i = 1; i <= times; i++) {
    await until(arrived, (count) => count >= (deliveries * i) / (times + 1));
    const victim = workers[i % workers.length];
    await victim?.kill();
    leased += await countLeased(installation);
    await victim?.startAgain();
  }
  return leased;
}

async function countLeased(installation: Installation): Promise<number> {
  const [row] = await installation.rows<{ leased: number }>(
    'select count(*)::int as leased from delivery_queue where lease is not null and due_at > now()',
  );
  return row?.leased ?? 0;
}
