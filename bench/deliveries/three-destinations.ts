import { startAllInOne } from '#bench/streamforge';
import type { BenchServer } from '#bench/databases';
import { boundLine } from '#bench/deliveries/bounds';
import {
  administer,
  allReceived,
  DELIVERY_SETTINGS,
  register,
  sendEvery,
  sendStream,
  startReceiver,
} from '#bench/deliveries/gateway';
import { ndjsonBody } from '#bench/events';
import type { ServerProcess } from '#bench/processes';
import type { ReceiverReport } from '#bench/receiver';
import { shown } from '#bench/statistics';

const PER_SECOND = 500;
const LINES = 10;
const EVENTS = 5_000;
const MOST_RATIO = 1.3;

interface Steady {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

export type ThreeDestinationsResult = { alone: Steady; beside: Steady }[];

interface Bench {
  gateway: ServerProcess;
  receiver: ServerProcess;
}

/**
 * A tenant sends 500 events a second to a healthy destination. It has no other destination, or one that answers 500 and one
 * that never answers, which get the same events. The two take turns.
 */
export async function measureThreeDestinations(
  postgres: BenchServer,
  rounds: number,
  progress: (text: string) => void,
): Promise<ThreeDestinationsResult> {
  const receiver = await startReceiver();
  const DATABASE_URL = await postgres.createDatabase('three');
  const gateway = await startAllInOne({ DATABASE_URL, ...DELIVERY_SETTINGS });
  const bench = { gateway, receiver };
  try {
    const result: ThreeDestinationsResult = [];
    await steady(bench, 'warm-up', ['failing', 'dead']);
    for (let n = 1; n <= rounds; n++) {
      progress(`three-destinations: round ${n} of ${rounds}`);
      const alone = await steady(bench, `alone-${n}`, []);
      result.push({ alone, beside: await steady(bench, `beside-${n}`, ['failing', 'dead']) });
    }
    return result;
  } finally {
    await gateway.stop();
    await receiver.stop();
  }
}

async function steady({ gateway, receiver }: Bench, tenantId: string, others: string[]): Promise<Steady> {
  const url = (kind: string): string => `${receiver.url}/${kind}/${tenantId}`;
  await register(gateway, { tenantId, url: url('quick'), maxInFlight: 16 });
  const ids = await Promise.all(others.map((kind) => register(gateway, { tenantId, url: url(kind), maxInFlight: 16 })));
  await sendEvery((LINES * 1_000) / PER_SECOND, EVENTS / LINES, (n) =>
    sendStream(gateway, tenantId, ndjsonBody({ type: 'order.paid', run: tenantId }, n * LINES, LINES)),
  );
  const report = await allReceived(receiver, `/quick/${tenantId}`, EVENTS);
  for (const id of ids) await administer(gateway, `POST /v1/admin/destinations/${id}/pause`, 200);
  return steadyOf(report);
}

function steadyOf({ p50Ms, p99Ms, distinct, firstMs, lastMs }: ReceiverReport): Steady {
  return { perSecond: (distinct * 1_000) / (lastMs - firstMs), p50Ms, p99Ms };
}

export function threeDestinationsReport(rounds: ThreeDestinationsResult): string {
  const line = (what: string, of: readonly Steady[]): string => {
    const column = (pick: (one: Steady) => number): string => shown(of.map(pick), 0);
    return (
      `${what}: ${column(({ perSecond }) => perSecond)} deliveries/s, accept to delivery ` +
      `p50 ${column(({ p50Ms }) => p50Ms)} ms, p99 ${column(({ p99Ms }) => p99Ms)} ms\n`
    );
  };
  const ratios = (ratio: (alone: Steady, beside: Steady) => number): number[] =>
    rounds.map(({ alone, beside }) => ratio(alone, beside));
  return (
    line(
      `three-destinations, ${PER_SECOND} events/s to a healthy destination alone`,
      rounds.map(({ alone }) => alone),
    ) +
    line(
      '  beside one that answers 500 and one that never answers',
      rounds.map(({ beside }) => beside),
    ) +
    boundLine({
      what: 'p99 beside the two / alone',
      values: ratios((alone, beside) => beside.p99Ms / alone.p99Ms),
      most: MOST_RATIO,
      digits: 2,
    }) +
    boundLine({
      what: 'rate alone / beside the two',
      values: ratios((alone, beside) => alone.perSecond / beside.perSecond),
      most: MOST_RATIO,
      digits: 2,
    })
  );
}
