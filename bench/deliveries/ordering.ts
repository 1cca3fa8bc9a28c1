import type { BenchServer } from '#bench/databases';
import {
  allReceived,
  DELIVERY_SETTINGS,
  register,
  sendEvery,
  sendStream,
  startReceiver,
} from '#bench/deliveries/gateway';
import { eventJson } from '#bench/events';
import type { ServerProcess } from '#bench/processes';
import { shown, spread } from '#bench/statistics';
import { startAllInOne } from '#bench/streamforge';

const EVENTS = 20_000;
const KEYS = 10_000;
const HOT_EVENTS = 600;
const OTHERS_PER_SECOND = 500;
const OTHERS_LINES = 25;
const MOST_IN_FLIGHT = 64;
const LEAST_RATIO = 0.5;

interface Round {
  /** Deliveries per second, from the first byte sent to the last delivery. */
  unordered: number;
  ordered: number;
  /** One key, alone and beside deliveries of another tenant. */
  hot: number;
  hotBeside: number;
}

interface Bench {
  gateway: ServerProcess;
  receiver: ServerProcess;
}

/** Deliveries of many keys and of one, to a receiver that answers at once, by an all-in-one process. */
export async function measureOrdering(
  postgres: BenchServer,
  rounds: number,
  progress: (text: string) => void,
): Promise<Round[]> {
  const receiver = await startReceiver();
  const gateway = await startAllInOne({
    DATABASE_URL: await postgres.createDatabase('ordering'),
    ...DELIVERY_SETTINGS,
  });
  const bench = { gateway, receiver };
  try {
    await burst(bench, 'warm-up', 'key', EVENTS / 4, KEYS);
    const measured: Round[] = [];
    for (let n = 1; n <= rounds; n++) {
      progress(`ordering: round ${n} of ${rounds}`);
      measured.push({
        unordered: await burst(bench, `unordered-${n}`, 'none', EVENTS, KEYS),
        ordered: await burst(bench, `ordered-${n}`, 'key', EVENTS, KEYS),
        hot: await burst(bench, `hot-${n}`, 'key', HOT_EVENTS, 1),
        hotBeside: await besideOthers(bench, n),
      });
    }
    return measured;
  } finally {
    await gateway.stop();
    await receiver.stop();
  }
}

export function orderingReport(rounds: readonly Round[]): string {
  const of = (pick: (round: Round) => number): string => shown(rounds.map(pick), 0);
  const ratios = rounds.map(({ ordered, unordered }) => ordered / unordered);
  const verdict = spread(ratios).median >= LEAST_RATIO ? 'PASS' : 'FAIL';
  return (
    `${EVENTS} events of ${KEYS} keys, from the first byte to the last delivery: ${of(({ unordered }) => unordered)} events/s ` +
    `without the order, ${of(({ ordered }) => ordered)} in order\n` +
    `${verdict} in order as part of without: ${shown(ratios, 2)} (wanted >= ${LEAST_RATIO})\n` +
    `one key: ${of(({ hot }) => hot)} deliveries/s, beside ${OTHERS_PER_SECOND}/s of another tenant ` +
    `${of(({ hotBeside }) => hotBeside)}\n`
  );
}

async function besideOthers(bench: Bench, n: number): Promise<number> {
  const tenant = `others-${n}`;
  await registerFor(bench, tenant, 'none');
  const events = OTHERS_PER_SECOND * 5;
  const others = sendEvery((OTHERS_LINES * 1_000) / OTHERS_PER_SECOND, events / OTHERS_LINES, (i) =>
    sendStream(bench.gateway, tenant, lines(tenant, i * OTHERS_LINES, OTHERS_LINES, KEYS)),
  );
  const rate = await burst(bench, `hot-beside-${n}`, 'key', HOT_EVENTS, 1);
  await others;
  await allReceived(bench.receiver, `/quick/${tenant}`, events);
  return rate;
}

async function burst(
  bench: Bench,
  tenant: string,
  ordering: 'none' | 'key',
  events: number,
  keys: number,
): Promise<number> {
  await registerFor(bench, tenant, ordering);
  const startedMs = Date.now();
  await sendStream(bench.gateway, tenant, lines(tenant, 0, events, keys));
  const { lastMs } = await allReceived(bench.receiver, `/quick/${tenant}`, events);
  return (events * 1_000) / (lastMs - startedMs);
}

function registerFor({ gateway, receiver }: Bench, tenantId: string, ordering: 'none' | 'key'): Promise<string> {
  return register(gateway, {
    tenantId,
    url: `${receiver.url}/quick/${tenantId}`,
    maxInFlight: MOST_IN_FLIGHT,
    ordering,
  });
}

function lines(run: string, from: number, count: number, keys: number): string {
  let text = '';
  for (let n = from; n < from + count; n++) {
    text += `{"partitionKey":"key-${n % keys}",${eventJson({ type: 'order.paid', run }, n).slice(1)}\n`;
  }
  return text;
}
